/**
 * The one-pass decoder as an ONNX graph, as fast as we know how to write it for onnxruntime: its own
 * fused attention, fused residual and norm, GELU with bias, one product for the keys and values of
 * all layers, and, as in our plan, nothing in it that is the same for every image.
 *
 * It says which token each slot likes best and no more: no log probabilities, no top-k, no collapse.
 */
import type { DecoderShape, DecoderWeights } from '../../src/model/decoder.ts';
import { attention } from '../../src/reference/attention.ts';
import { layerNorm } from '../../src/reference/layernorm.ts';
import { layersOf } from '../../src/reference/layers.ts';
import { linear as product } from '../../src/reference/linear.ts';
import { CONTRIB, FLOAT, Graph, INT32 } from './graph.ts';

/** A decoder's file, and how to read what it says. */
export interface OnnxDecoder {
  readonly file: Uint8Array;
  /** Parts of the vocabulary, each with so many tokens: onnxruntime searches a row with one lane. */
  readonly parts: number;
  readonly partTokens: number;
}

/** Names of the outputs: of each slot the best part, and of each part the best token in it. */
export const PART = 'part';
export const INSIDE = 'inside';

/**
 * For one image.
 *
 * Input `memory` f32 [1, T, width]; outputs `part` int32 [slots], `inside` int32 [slots · parts].
 */
export function onnxDecoder(
  shape: DecoderShape,
  weights: DecoderWeights,
  slots: number,
): OnnxDecoder {
  const { width, heads, layers, memory: rows, epsilon, vocabulary } = shape;
  const graph = new Graph();
  const { weight } = layersOf(shape, weights);
  const constant = (name: string) => graph.constant(weight(name).shape, weight(name).data);
  // Rows are [slots, width], so that a product takes its bias along.
  const linear = (x: string, name: string) =>
    graph.node('Gemm', [x, constant(`${name}.weight`), constant(`${name}.bias`)]);
  const split = (x: string, count: number) =>
    graph.nodes('Split', [x], { axis: 1, num_outputs: count }, { outputs: count });
  const attend = (q: string, k: string, v: string, keys: number) => {
    const inputs = [
      graph.reshape(q, [1, slots, width]),
      graph.reshape(k, [1, keys, width]),
      graph.reshape(v, [1, keys, width]),
    ];
    const seen = graph.node('MultiHeadAttention', inputs, { num_heads: heads }, CONTRIB);
    return graph.reshape(seen, [slots, width]);
  };
  /** x + y, and its norm. */
  const add = (x: string, y: string, norm: string): [sum: string, normed: string] => {
    const [normed, , , sum] = graph.nodes(
      'SkipLayerNormalization',
      [x, y, constant(`${norm}.weight`), constant(`${norm}.bias`)],
      { epsilon: { float: epsilon } },
      { domain: CONTRIB, outputs: 4, unwanted: [1, 2] },
    );
    return [sum as string, normed as string];
  };

  const memory = graph.reshape('memory', [rows, width]);
  // In two steps: a dispatch may write seven buffers beside the one that it reads.
  const kv = split(linear(memory, 'cross.kv'), layers).flatMap((both) => split(both, 2));
  const start = prefix(shape, weights, slots);
  let x = graph.constant([slots, width], start.x);
  let q = graph.constant([slots, width], start.q);
  let normed = '';
  for (let i = 0; i < layers; i++) {
    const layer = `layers.${i}`;
    if (i > 0) {
      const [selfQ = '', k = '', v = ''] = split(linear(normed, `${layer}.self.qkv`), 3);
      const seen = linear(attend(selfQ, k, v, slots), `${layer}.self.out`);
      [x, normed] = add(x, seen, `${layer}.cross.norm`);
      q = linear(normed, `${layer}.cross.q`);
    }
    const looked = attend(q, kv[2 * i] as string, kv[2 * i + 1] as string, rows);
    [x, normed] = add(x, linear(looked, `${layer}.cross.out`), `${layer}.ffn.norm`);
    const up = graph.node('MatMul', [normed, constant(`${layer}.ffn.up.weight`)]);
    const inside = graph.node('FastGelu', [up, constant(`${layer}.ffn.up.bias`)], {}, CONTRIB);
    const next = i + 1 < layers ? `layers.${i + 1}.self.norm` : 'head.norm';
    [x, normed] = add(x, linear(inside, `${layer}.ffn.down`), next);
  }
  const logits = linear(normed, 'head');
  const parts = partsOf(vocabulary);
  const partTokens = vocabulary / parts;
  const apart = graph.reshape(logits, [slots * parts, partTokens]);
  const best = { axis: 1, keepdims: 0 };
  const largest = graph.node('ReduceMax', [apart, graph.constant([1], BigInt64Array.of(1n))], {
    keepdims: 0,
  });
  const part = graph.node('ArgMax', [graph.reshape(largest, [slots, parts])], best);
  const inside = graph.node('ArgMax', [apart], best);
  const file = graph.encode(
    [{ name: 'memory', type: FLOAT, shape: [1, rows, width] }],
    [
      { name: PART, type: INT32, shape: [slots], value: graph.node('Cast', [part], { to: INT32 }) },
      {
        ...{ name: INSIDE, type: INT32, shape: [slots * parts] },
        value: graph.node('Cast', [inside], { to: INT32 }),
      },
    ],
  );
  return { file, parts, partTokens };
}

/** The token of each slot. */
export function tokensOf(
  { parts, partTokens }: OnnxDecoder,
  part: Int32Array,
  inside: Int32Array,
): number[] {
  return Array.from(part, (best, slot) => best * partTokens + (inside[slot * parts + best] ?? 0));
}

/** The divisor of n that is nearest to its root. */
function partsOf(n: number): number {
  let parts = Math.floor(Math.sqrt(n));
  while (n % parts !== 0) parts--;
  return parts;
}

/** What layer 0 computes before it looks at the memory: its residual rows and its queries. */
function prefix(
  shape: DecoderShape,
  weights: DecoderWeights,
  slots: number,
): { x: Float32Array; q: Float32Array } {
  const { width, heads } = shape;
  const { weight, norm, linear } = layersOf(shape, weights);
  const queries = weight('queries.weight').data.subarray(0, slots * width);
  const residual = Float32Array.from(layerNorm(queries, norm('queries.norm')));
  const data = product(residual, linear('layers.0.self.qkv'), { norm: norm('layers.0.self.norm') });
  const at = (offset: number) => ({ data, offset, stride: 3 * width });
  const sizes = { queries: slots, keys: slots, heads, width };
  const seen = attention(at(0), at(width), at(2 * width), sizes);
  const x = product(seen, linear('layers.0.self.out'), { residual });
  return { x, q: product(x, linear('layers.0.cross.q'), { norm: norm('layers.0.cross.norm') }) };
}
