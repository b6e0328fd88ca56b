/** Every pipeline of a decoder, compiled once and shared by all its plans. */
import { type DecoderShape, posteriorCount } from '../model/decoder.ts';
import { AttentionKernel } from './attention.ts';
import { CollapseKernel } from './collapse.ts';
import { LayerNormKernel } from './layernorm.ts';
import { LinearKernel, type LinearOptions } from './linear.ts';
import type { Tiling } from './tiling.ts';
import { VocabularyKernel } from './vocabulary.ts';

/** The kernels by what they do in the network. */
export interface Kernels {
  readonly queriesNorm: LayerNormKernel;
  readonly kv: LinearKernel;
  readonly qkv: LinearKernel;
  /** The product behind either attention, with its residual. */
  readonly out: LinearKernel;
  readonly crossQ: LinearKernel;
  readonly up: LinearKernel;
  readonly down: LinearKernel;
  readonly selfAttention: AttentionKernel;
  /** One a layer: each reads its own columns of the keys and values. */
  readonly crossAttention: readonly AttentionKernel[];
  readonly vocabulary: VocabularyKernel;
  readonly collapse: CollapseKernel;
}

/** Compiles all kernels of a decoder of this shape, at the same time. */
export async function compileKernels(
  device: GPUDevice,
  shape: DecoderShape,
  tiling: Tiling,
): Promise<Kernels> {
  const { width, heads, layers, ffn, epsilon } = shape;
  const k = posteriorCount(shape);
  const linear = (inputs: number, outputs: number, options: Partial<LinearOptions> = {}) =>
    LinearKernel.compile(device, { inputs, outputs, ...options }, tiling);
  const normed = { normEpsilon: epsilon };
  const cross = (layer: number) =>
    AttentionKernel.compile(device, {
      heads,
      width,
      queryStride: width,
      keyStride: 2 * width * layers,
      keyOffset: 2 * width * layer,
      valueOffset: 2 * width * layer + width,
      maxKeys: shape.memory,
      lengths: true,
      queryRows: tiling.queryRows,
    });
  const [queriesNorm, kv, qkv, out, crossQ, up, down, selfAttention, crossAttention] =
    await Promise.all([
      LayerNormKernel.compile(device, width, epsilon),
      linear(width, 2 * width * layers),
      linear(width, 3 * width, normed),
      linear(width, width, { residual: true }),
      linear(width, width, normed),
      linear(width, ffn, { ...normed, gelu: true }),
      linear(ffn, width, { residual: true }),
      AttentionKernel.compile(device, {
        heads,
        width,
        queryStride: 3 * width,
        keyStride: 3 * width,
        keyOffset: width,
        valueOffset: 2 * width,
        maxKeys: shape.queries,
        lengths: false,
        queryRows: tiling.queryRows,
      }),
      Promise.all(Array.from({ length: layers }, (_, layer) => cross(layer))),
    ]);
  const [vocabulary, collapse] = await Promise.all([
    VocabularyKernel.compile(device, {
      inputs: width,
      vocabulary: shape.vocabulary,
      normEpsilon: epsilon,
      k,
      tileColumns: tiling.tileColumns,
    }),
    CollapseKernel.compile(device, { blank: shape.blank, eos: shape.eos, k }),
  ]);
  return {
    queriesNorm,
    kv,
    qkv,
    out,
    crossQ,
    up,
    down,
    selfAttention,
    crossAttention,
    vocabulary,
    collapse,
  };
}
