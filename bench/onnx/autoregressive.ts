/**
 * The autoregressive decoder as an ONNX graph in the layout that transformers.js drives: one word in,
 * its successor's logits and a cache of keys and values out.
 *
 * As fast as we know how to write it for onnxruntime: the operators of decoder.ts, its own attention
 * that appends to the cache, and the memory's keys and values computed for the first word only.
 */
import type { DecoderShape, DecoderWeights } from '../../src/model/decoder.ts';
import { transpose } from '../autoregressive/decoder.ts';
import { BOOL, CONTRIB, FLOAT, Graph, INT64, type Output, type Value } from './graph.ts';

/** Of a layer: values of the graph, f32 [1, heads, length, width / heads] each. */
interface Cache {
  /** Of the words. */
  readonly key: string;
  readonly value: string;
  /** Of the memory's rows. */
  readonly memoryKey: string;
  readonly memoryValue: string;
}

/** Of every layer: the names of its cache behind a word. */
export function presentNames({ layers }: Pick<DecoderShape, 'layers'>): string[] {
  return cacheNames('present', layers).flatMap((cache) => Object.values(cache));
}

/**
 * For one image.
 *
 * Inputs `input_ids` int64 [1, 1], `encoder_hidden_states` f32 [1, T, width], `use_cache_branch`
 * bool [1], false for the first word, and the cache, `past_key_values.{i}.…`, not read then.
 * Outputs `logits` f32 [1, 1, vocabulary] and the cache, a word longer, `present.{i}.…`. Keys and
 * values of the memory are in it behind the first word alone: transformers.js keeps those.
 */
export function autoregressiveDecoder(shape: DecoderShape, weights: DecoderWeights): Uint8Array {
  return new DecoderGraph(shape, weights).encode();
}

class DecoderGraph {
  readonly #graph = new Graph();
  readonly #shape: DecoderShape;
  readonly #weights: DecoderWeights;
  /** Both branches have the same constants. */
  readonly #constants = new Map<string, string>();

  constructor(shape: DecoderShape, weights: DecoderWeights) {
    this.#shape = shape;
    this.#weights = weights;
  }

  encode(): Uint8Array {
    const { layers, memory, width } = this.#shape;
    const past = cacheNames('past_key_values', layers);
    // A graph of its own for the first word: transformers.js has one file for it and for the others.
    const outputs = this.#graph.choose(
      'use_cache_branch',
      () => this.#write(past),
      () => this.#write(undefined),
    );
    const inputs = [
      { name: 'input_ids', type: INT64, shape: [1, 1] },
      { name: 'encoder_hidden_states', type: FLOAT, shape: [1, memory, width] },
      { name: 'use_cache_branch', type: BOOL, shape: [1] },
      ...past.flatMap((cache) => Object.values(cache).map((name) => this.#cached(name))),
    ];
    return this.#graph.encode(inputs, outputs);
  }

  /** @param past every layer's cache before this word; none before the first */
  #write(past: readonly Cache[] | undefined): Output[] {
    const { layers, vocabulary } = this.#shape;
    const memory: readonly Pick<Cache, 'memoryKey' | 'memoryValue'>[] = past ?? this.#look();
    let [x, normed] = this.#add(this.#word(), this.#place(past), 'layers.0.self.norm');
    const outputs: Output[] = [];
    for (const [i, present] of cacheNames('present', layers).entries()) {
      const layer = `layers.${i}`;
      const { memoryKey = '', memoryValue = '' } = memory[i] ?? {};
      const attended = this.#attendWords(normed, layer, past?.[i]);
      [x, normed] = this.#add(x, attended.seen, `${layer}.cross.norm`, `${layer}.self.out`);
      const looked = this.#attendMemory(normed, layer, memoryKey, memoryValue);
      [x, normed] = this.#add(x, looked, `${layer}.ffn.norm`, `${layer}.cross.out`);
      const next = i + 1 < layers ? `layers.${i + 1}.self.norm` : 'head.norm';
      [x, normed] = this.#add(x, this.#inside(normed, layer), next, `${layer}.ffn.down`);
      outputs.push(
        { ...this.#cached(present.key), value: attended.key },
        { ...this.#cached(present.value), value: attended.value },
        { ...this.#cached(present.memoryKey), value: past ? this.#nothing() : memoryKey },
        { ...this.#cached(present.memoryValue), value: past ? this.#nothing() : memoryValue },
      );
    }
    // Apart from the product, lest onnxruntime make a Gemm of the two.
    const product = this.#graph.reshape(this.#product(normed, 'head'), [1, 1, vocabulary]);
    const logits = this.#graph.node('Add', [product, this.#weight('head.bias')]);
    const said = { name: 'logits', type: FLOAT, shape: [1, 1, vocabulary] };
    return [{ ...said, value: logits }, ...outputs];
  }

  /** [1, width] of the word before. */
  #word(): string {
    const { width, vocabulary } = this.#shape;
    const words = this.#constant('words', [vocabulary, width], () =>
      transpose(this.#numbers('head.weight'), width, vocabulary).map(
        (number) => number * Math.sqrt(width),
      ),
    );
    return this.#graph.reshape(this.#graph.node('Gather', [words, 'input_ids']), [1, width]);
  }

  /** [1, width] of the position table: that of a word with as many before it as the cache has. */
  #place(past: readonly Cache[] | undefined): string {
    const { width } = this.#shape;
    const [first] = past ?? [];
    if (!first) {
      return this.#constant('first place', [1, width], () =>
        this.#numbers('queries.weight').subarray(0, width),
      );
    }
    const at = this.#graph.node('Shape', [first.key], { start: 2, end: 3 });
    const one = this.#constant('one', [1], () => BigInt64Array.of(1n));
    const axis = this.#constant('zero', [1], () => BigInt64Array.of(0n));
    const end = this.#graph.node('Add', [at, one]);
    return this.#graph.node('Slice', [this.#weight('queries.weight'), at, end, axis]);
  }

  /** Keys and values of the memory, of all layers by one product. */
  #look(): Pick<Cache, 'memoryKey' | 'memoryValue'>[] {
    const { layers, memory, width, heads } = this.#shape;
    const both = this.#graph.node('Gemm', [
      this.#graph.reshape('encoder_hidden_states', [memory, width]),
      this.#weight('cross.kv.weight'),
      this.#weight('cross.kv.bias'),
    ]);
    const apart = this.#graph.reshape(both, [memory, 2 * layers, heads, width / heads]);
    const turned = this.#graph.node('Transpose', [apart], { perm: [1, 2, 0, 3] });
    // In two steps: a dispatch may write seven buffers beside the one that it reads.
    return this.#split(turned, 0, layers).map((layer) => {
      const [memoryKey = '', memoryValue = ''] = this.#split(layer, 0, 2);
      return { memoryKey, memoryValue };
    });
  }

  /** @returns what the word sees of those before and itself, and their keys and values */
  #attendWords(
    normed: string,
    layer: string,
    past: Cache | undefined,
  ): Pick<Cache, 'key' | 'value'> & { readonly seen: string } {
    const { width } = this.#shape;
    const qkv = this.#split(this.#product(normed, `${layer}.self.qkv`), 1, 3);
    const inputs = [
      ...qkv.map((rows) => this.#graph.reshape(rows, [1, 1, width])),
      this.#weight(`${layer}.self.qkv.bias`),
      ...(past ? ['', '', past.key, past.value] : []),
    ];
    const [seen = '', key = '', value = ''] = this.#attend(inputs, 3);
    return { seen: this.#product(seen, `${layer}.self.out`), key, value };
  }

  #attendMemory(normed: string, layer: string, key: string, value: string): string {
    const { width } = this.#shape;
    const q = this.#graph.reshape(this.#product(normed, `${layer}.cross.q`), [1, 1, width]);
    // The keys and values have theirs already.
    const bias = this.#constant(`${layer}.cross.q.bias and zeros`, [3 * width], () => {
      const data = new Float32Array(3 * width);
      data.set(this.#numbers(`${layer}.cross.q.bias`));
      return data;
    });
    const [seen = ''] = this.#attend([q, key, value, bias], 1);
    return this.#product(seen, `${layer}.cross.out`);
  }

  /** @returns [1, width], and the cache if it is among the outputs */
  #attend(inputs: readonly string[], outputs: number): string[] {
    const { heads, width } = this.#shape;
    const attributes = { num_heads: heads };
    const options = { domain: CONTRIB, outputs };
    const [seen = '', ...cache] = this.#graph.nodes(
      'MultiHeadAttention',
      inputs,
      attributes,
      options,
    );
    return [this.#graph.reshape(seen, [1, width]), ...cache];
  }

  #inside(normed: string, layer: string): string {
    const up = this.#product(normed, `${layer}.ffn.up`);
    const bias = this.#weight(`${layer}.ffn.up.bias`);
    const inside = this.#graph.node('FastGelu', [up, bias], {}, CONTRIB);
    return this.#product(inside, `${layer}.ffn.down`);
  }

  /** Without its bias, which the next node adds: of one row a Gemm takes twice what a MatMul takes. */
  #product(x: string, name: string): string {
    return this.#graph.node('MatMul', [x, this.#weight(`${name}.weight`)]);
  }

  /** x + y + the bias of the product that y is, and the norm of that. */
  #add(x: string, y: string, norm: string, product?: string): [sum: string, normed: string] {
    const inputs = [x, y, this.#weight(`${norm}.weight`), this.#weight(`${norm}.bias`)];
    const [normed, , , sum] = this.#graph.nodes(
      'SkipLayerNormalization',
      product ? [...inputs, this.#weight(`${product}.bias`)] : inputs,
      { epsilon: { float: this.#shape.epsilon } },
      { domain: CONTRIB, outputs: 4, unwanted: [1, 2] },
    );
    return [sum as string, normed as string];
  }

  #split(x: string, axis: number, count: number): string[] {
    return this.#graph.nodes('Split', [x], { axis, num_outputs: count }, { outputs: count });
  }

  /** A cache of no rows; a node, since a branch may not hand on what is not made in it. */
  #nothing(): string {
    const { heads, width } = this.#shape;
    const shape = [1, heads, 0, width / heads];
    return this.#graph.node('Identity', [
      this.#constant('nothing', shape, () => new Float32Array()),
    ]);
  }

  #cached(name: string): Value {
    const { heads, width } = this.#shape;
    // Every name its own: what is not known transformers.js takes for 0 before the first word.
    return { name, type: FLOAT, shape: [1, heads, `length of ${name}`, width / heads] };
  }

  #weight(name: string): string {
    return this.#constant(name, this.#weights.get(name)?.shape ?? [], () => this.#numbers(name));
  }

  #numbers(name: string): Float32Array {
    return this.#weights.get(name)?.data ?? new Float32Array();
  }

  #constant(
    name: string,
    shape: readonly number[],
    data: () => Float32Array | BigInt64Array,
  ): string {
    const value = this.#constants.get(name) ?? this.#graph.constant(shape, data());
    this.#constants.set(name, value);
    return value;
  }
}

function cacheNames(prefix: string, layers: number): Cache[] {
  return Array.from({ length: layers }, (_, i) => ({
    key: `${prefix}.${i}.decoder.key`,
    value: `${prefix}.${i}.decoder.value`,
    memoryKey: `${prefix}.${i}.encoder.key`,
    memoryValue: `${prefix}.${i}.encoder.value`,
  }));
}
