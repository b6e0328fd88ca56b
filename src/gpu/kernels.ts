/** Every pipeline of a decoder, compiled once and shared by all its plans. */
import { type DecoderShape, posteriorCount } from '../model/decoder.ts';
import { AttentionKernel } from './attention.ts';
import { AttentionMapKernel } from './attention-map.ts';
import { CollapseKernel } from './collapse.ts';
import type { NormWeights } from './fold.ts';
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
  readonly attentionMap: AttentionMapKernel;
  readonly vocabulary: VocabularyKernel;
  readonly collapse: CollapseKernel;
  readonly score: ScoreKernel;
}

/**
 * Compiles all kernels of a decoder of this shape, at the same time.
 *
 * @param memoryNorm the norm that the memory still lacks; none if it comes normed
 */
export async function compileKernels(
  device: GPUDevice,
  shape: DecoderShape,
  tiling: Tiling,
  memoryNorm: Promise<NormWeights | undefined>,
): Promise<Kernels> {
  const { width, heads, layers, ffn, epsilon } = shape;
  const k = posteriorCount(shape);
  const linear = (inputs: number, outputs: number, options: Partial<LinearOptions> = {}) =>
    LinearKernel.compile(device, { inputs, outputs, ...options }, tiling);
  const normed = { normEpsilon: epsilon };
  return together<Kernels>({
    queriesNorm: LayerNormKernel.compile(device, width, epsilon),
    kv: memoryNorm.then((norm) => linear(width, 2 * width * layers, norm ? normed : {})),
    qkv: linear(width, 3 * width, normed),
    out: linear(width, width, { residual: true }),
    crossQ: linear(width, width, normed),
    up: linear(width, ffn, { ...normed, gelu: true }),
    down: linear(ffn, width, { residual: true }),
    attention: AttentionKernel.compile(device, {
      heads,
      width,
      maxKeys: Math.max(shape.memory, shape.queries),
      lanes: tiling.attentionLanes,
      queryRows: tiling.queryRows,
    }),
    attentionMap: AttentionMapKernel.compile(device, {
      heads,
      width,
      maxKeys: shape.memory,
      lanes: tiling.lanes,
    }),
    vocabulary: VocabularyKernel.compile(
      device,
      {
        inputs: width,
        vocabulary: shape.vocabulary,
        normEpsilon: epsilon,
        k,
        evidence: shape.evidence,
      },
      tiling,
    ),
    collapse: CollapseKernel.compile(device, { ...shape, k }),
    score: ScoreKernel.compile(device, shape, tiling),
  });
}

/** What all promises of an object come to, by the same names. */
async function together<T extends object>(
  promises: {
    readonly [K in keyof T]: Promise<T[K]>;
  },
): Promise<T> {
  const values = await Promise.all(Object.values(promises));
  return Object.fromEntries(Object.keys(promises).map((name, i) => [name, values[i]])) as T;
}
