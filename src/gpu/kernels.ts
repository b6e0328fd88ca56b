/** Every pipeline of a decoder, compiled once and shared by all its plans. */
import { type DecoderShape, posteriorCount } from '../model/decoder.ts';
import { AttentionKernel } from './attention.ts';
import { CollapseKernel } from './collapse.ts';
import { LayerNormKernel } from './layernorm.ts';
import { LinearKernel, type LinearOptions } from './linear.ts';
import { ScoreKernel } from './score.ts';
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
  readonly attention: AttentionKernel;
  readonly vocabulary: VocabularyKernel;
  readonly collapse: CollapseKernel;
  readonly score: ScoreKernel;
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
  const [queriesNorm, kv, qkv, out, crossQ, up, down, attention, vocabulary, collapse, score] =
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
        maxKeys: Math.max(shape.memory, shape.queries),
        lanes: tiling.lanes,
        queryRows: tiling.queryRows,
      }),
      VocabularyKernel.compile(device, {
        inputs: width,
        vocabulary: shape.vocabulary,
        normEpsilon: epsilon,
        k,
        lanes: tiling.lanes,
        tileColumns: tiling.tileColumns,
      }),
      CollapseKernel.compile(device, { blank: shape.blank, eos: shape.eos, k }),
      ScoreKernel.compile(device, shape, tiling),
    ]);
  return {
    queriesNorm,
    kv,
    qkv,
    out,
    crossQ,
    up,
    down,
    attention,
    vocabulary,
    collapse,
    score,
  };
}
