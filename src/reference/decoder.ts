/** The decoder in plain TypeScript: the oracle for every kernel, and what runs where nothing else does. */
import { checkEvidence, checkMemory, checkModel, checkRequest } from '../model/checks.ts';
import type {
  DecodeRequest,
  DecoderShape,
  DecoderWeights,
  Decoding,
  QueryRange,
} from '../model/decoder.ts';
import { attention, attentionMap, type Rows } from './attention.ts';
import { layerNorm, type Norm } from './layernorm.ts';
import { layersOf } from './layers.ts';
import { type Linear, linear } from './linear.ts';
import { type Pass, readLogits } from './logits.ts';

interface Layer {
  readonly selfNorm: Norm;
  readonly qkv: Linear;
  readonly selfOut: Linear;
  readonly crossNorm: Norm;
  readonly crossQ: Linear;
  readonly crossOut: Linear;
  readonly ffnNorm: Norm;
  readonly up: Linear;
  readonly down: Linear;
}

/** What layer 0 computes before it looks at the memory: the same for every image. */
interface Prefix {
  /** [count, d]: the residual rows behind layer 0's self-attention. */
  readonly x: Float32Array;
  /** [count, d]: layer 0's cross-attention queries. */
  readonly q: Float32Array;
}

/** A decoder that needs nothing but a JavaScript engine. Sums are float64, stored rows f32. */
export class ReferenceDecoder {
  readonly #queries: Float32Array;
  readonly #queriesNorm: Norm;
  readonly #layers: readonly Layer[];
  readonly #kv: Linear;
  readonly #headNorm: Norm;
  readonly #head: Linear;
  readonly #tilt: Float32Array | undefined;
  readonly #prefixes = new Map<string, Prefix>();

  /** @throws NarvlError 'invalid-model' if a weight is missing or has another shape. */
  constructor(
    readonly shape: DecoderShape,
    weights: DecoderWeights,
  ) {
    checkModel(shape, weights);
    const { weight, norm, linear: pack } = layersOf(shape, weights);
    this.#queries = weight('queries.weight').data;
    this.#queriesNorm = norm('queries.norm');
    this.#layers = Array.from({ length: shape.layers }, (_, i) => ({
      selfNorm: norm(`layers.${i}.self.norm`),
      qkv: pack(`layers.${i}.self.qkv`),
      selfOut: pack(`layers.${i}.self.out`),
      crossNorm: norm(`layers.${i}.cross.norm`),
      crossQ: pack(`layers.${i}.cross.q`),
      crossOut: pack(`layers.${i}.cross.out`),
      ffnNorm: norm(`layers.${i}.ffn.norm`),
      up: pack(`layers.${i}.ffn.up`),
      down: pack(`layers.${i}.ffn.down`),
    }));
    this.#kv = pack('cross.kv');
    this.#headNorm = norm('head.norm');
    this.#head = pack('head');
    this.#tilt = shape.evidence ? weight('queries.tilt').data : undefined;
  }

  /**
   * One pass over a batch.
   *
   * @param memory [batch, T, d]; rows from an image's memory length on are not read
   * @param evidence [batch, V], of shapes that have it; none for any word if it is left out
   * @returns one decoding an image
   * @throws NarvlError 'invalid-argument' if the request or the memory do not fit the shape.
   * @throws NarvlError 'invalid-model' if the weights or the memory are not all finite.
   */
  decode(memory: Float32Array, request: DecodeRequest, evidence?: Float32Array): Decoding[] {
    checkRequest(this.shape, request);
    checkMemory(this.shape, request, memory);
    checkEvidence(this.shape, request, evidence);
    const { memoryLengths, queries } = request;
    const { memory: rows, width, vocabulary } = this.shape;
    const image = rows * width;
    return memoryLengths.map((length, i) => {
      const seen = memory.subarray(i * image, i * image + length * width);
      const pass = this.#run(seen, queries, request);
      const heard = evidence?.subarray(i * vocabulary, (i + 1) * vocabulary);
      if (heard) this.#listen(pass.logits, heard, queries.first);
      return readLogits(this.shape, pass, request);
    });
  }

  #run(memory: Float32Array, range: QueryRange, request: DecodeRequest): Pass {
    const { width, heads, layers } = this.shape;
    const kv = linear(memory, this.#kv);
    const prefix = this.#prefix(range);
    const sizes = { queries: range.count, keys: memory.length / width, heads, width };
    const keys = (layer: number): Rows => ({
      data: kv,
      offset: 2 * width * layer,
      stride: this.#kv.outputs,
    });
    let x = prefix.x;
    let map: Float32Array | undefined;
    this.#layers.forEach((layer, i) => {
      if (i > 0) x = this.#selfAttention(layer, x);
      const data = i > 0 ? linear(x, layer.crossQ, { norm: layer.crossNorm }) : prefix.q;
      const q = { data, offset: 0, stride: width };
      const k = keys(i);
      const seen = attention(q, k, { ...k, offset: k.offset + width }, sizes);
      x = linear(seen, layer.crossOut, { residual: x });
      const inside = linear(x, layer.up, { norm: layer.ffnNorm, gelu: true });
      x = linear(inside, layer.down, { residual: x });
      if (request.attention && i === layers - 1) map = attentionMap(q, k, sizes, this.shape.memory);
    });
    return { logits: linear(x, this.#head, { norm: this.#headNorm }), map };
  }

  /** Adds to each slot's logits [slots, V] its tilt times the evidence [V]. */
  #listen(logits: Float32Array, evidence: Float32Array, first: number): void {
    const vocabulary = evidence.length;
    logits.forEach((logit, i) => {
      const tilt = this.#tilt?.[first + Math.floor(i / vocabulary)] ?? 0;
      logits[i] = logit + tilt * evidence[i % vocabulary]!;
    });
  }

  #prefix(range: QueryRange): Prefix {
    const key = `${range.first},${range.count}`;
    let prefix = this.#prefixes.get(key);
    if (!prefix) {
      const { width } = this.shape;
      const rows = this.#queries.subarray(range.first * width, (range.first + range.count) * width);
      const [layer] = this.#layers as [Layer];
      const x = this.#selfAttention(layer, Float32Array.from(layerNorm(rows, this.#queriesNorm)));
      prefix = { x, q: linear(x, layer.crossQ, { norm: layer.crossNorm }) };
      this.#prefixes.set(key, prefix);
    }
    return prefix;
  }

  #selfAttention(layer: Layer, x: Float32Array): Float32Array {
    const { width, heads } = this.shape;
    const rows = x.length / width;
    const data = linear(x, layer.qkv, { norm: layer.selfNorm });
    const stride = 3 * width;
    const seen = attention(
      { data, offset: 0, stride },
      { data, offset: width, stride },
      { data, offset: 2 * width, stride },
      { queries: rows, keys: rows, heads, width },
    );
    return linear(seen, layer.selfOut, { residual: x });
  }
}
