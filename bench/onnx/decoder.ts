/**
 * The one-pass decoder as an ONNX graph, in the operators that onnxruntime is fastest with: its own
 * fused attention, fused residual and norm, and GELU with bias.
 *
 * It says each slot's likeliest token and no more: no log probabilities, no top-k, no collapse.
 */
import type { DecoderShape, DecoderWeights, Weight } from '../../src/model/decoder.ts';
import { CONTRIB, FLOAT, Graph, INT32 } from './graph.ts';

/** For one image; input `memory` f32 [1, T, width], output `tokens` int32 [slots]. */
export function onnxDecoder(
  shape: DecoderShape,
  weights: DecoderWeights,
  slots: number,
): Uint8Array {
  const { width, heads, layers, memory: rows, epsilon } = shape;
  const graph = new Graph();
  const weight = (name: string) => weights.get(name) as Weight;
  const constant = (name: string) => graph.constant(weight(name).shape, weight(name).data);
  const normed = (x: string, name: string) =>
    graph.node('LayerNormalization', [x, constant(`${name}.weight`), constant(`${name}.bias`)], {
      axis: -1,
      epsilon: { float: epsilon },
    });
  // Rows are [slots, width], so that a product takes its bias along.
  const linear = (x: string, name: string) =>
    graph.node('Gemm', [x, constant(`${name}.weight`), constant(`${name}.bias`)]);
  const attend = (q: string, k: string, v: string, keys: number) => {
    const [query, key, value] = [
      graph.reshape(q, [1, slots, width]),
      graph.reshape(k, [1, keys, width]),
      graph.reshape(v, [1, keys, width]),
    ];
    const seen = graph.node(
      'MultiHeadAttention',
      [query, key, value],
      { num_heads: heads },
      CONTRIB,
    );
    return graph.reshape(seen, [slots, width]);
  };
  /** The columns from `first` on of a wider linear layer. */
  const part = (x: string, name: string, first: number): string => {
    const { shape: size, data } = weight(`${name}.weight`);
    const [inputs = 0, outputs = 0] = size;
    const columns = new Float32Array(inputs * width);
    for (let row = 0; row < inputs; row++) {
      const at = row * outputs + first;
      columns.set(data.subarray(at, at + width), row * width);
    }
    const bias = weight(`${name}.bias`).data.slice(first, first + width);
    return graph.node('Gemm', [
      x,
      graph.constant([inputs, width], columns),
      graph.constant([width], bias),
    ]);
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
  const { data } = weight('queries.weight');
  const queries = graph.constant([slots, width], data.slice(0, slots * width));
  let x = normed(queries, 'queries.norm');
  let seenRows = normed(x, 'layers.0.self.norm');
  for (let i = 0; i < layers; i++) {
    const layer = `layers.${i}`;
    const [q, k, v] = [0, 1, 2].map((n) => part(seenRows, `${layer}.self.qkv`, n * width));
    const self = attend(q as string, k as string, v as string, slots);
    let rest: string;
    [x, rest] = add(x, linear(self, `${layer}.self.out`), `${layer}.cross.norm`);
    const cross = attend(
      linear(rest, `${layer}.cross.q`),
      part(memory, 'cross.kv', 2 * width * i),
      part(memory, 'cross.kv', 2 * width * i + width),
      rows,
    );
    [x, rest] = add(x, linear(cross, `${layer}.cross.out`), `${layer}.ffn.norm`);
    const inside = graph.node('MatMul', [rest, constant(`${layer}.ffn.up.weight`)]);
    const activated = graph.node(
      'FastGelu',
      [inside, constant(`${layer}.ffn.up.bias`)],
      {},
      CONTRIB,
    );
    const next = i + 1 < layers ? `layers.${i + 1}.self.norm` : 'head.norm';
    [x, seenRows] = add(x, linear(activated, `${layer}.ffn.down`), next);
  }
  const logits = linear(seenRows, 'head');
  const best = graph.node('ArgMax', [logits], { axis: -1, keepdims: 0 });
  const tokens = graph.node('Cast', [best], { to: INT32 });
  return graph.encode(
    [{ name: 'memory', type: FLOAT, shape: [1, rows, width] }],
    [{ name: tokens, type: INT32, shape: [slots] }],
  );
}
