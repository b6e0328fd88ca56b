/** Runs vocabulary.wgsl and topk_merge.wgsl: from the decoder's rows to top-k posteriors. */
import bestShared from '../shaders/parts/best_shared.wgsl?raw';
import bestSubgroups from '../shaders/parts/best_subgroups.wgsl?raw';
import candidates from '../shaders/parts/candidates.wgsl?raw';
import mergeCode from '../shaders/topk_merge.wgsl?raw';
import kernel from '../shaders/vocabulary.wgsl?raw';
import type { Buffers } from './buffers.ts';
import { withProducts } from './products.ts';
import { type Binding, bind, compile, type Step } from './step.ts';
import type { Tiling } from './tiling.ts';

/** What is fixed when the kernels are compiled. */
export interface VocabularyOptions {
  /** Width of the rows, a multiple of 4. */
  readonly inputs: number;
  readonly vocabulary: number;
  /** Epsilon of the final layer norm; weights must come from `foldNorm`. */
  readonly normEpsilon: number;
  /** Tokens kept of each row, at most `vocabulary`. */
  readonly k: number;
}

/** `tileColumns` is a multiple of 4·`lanes` up to 768, `lanes` a multiple of 4. */
type VocabularyTiling = Pick<
  Tiling,
  'weightBits' | 'productBits' | 'tileRows' | 'lanes' | 'tileColumns' | 'subgroups'
>;

/** What the dispatches read and write. */
export interface VocabularyBuffers {
  /** [rows, inputs] */
  readonly x: GPUBuffer;
  /** [inputs, vocabulary], padded to a multiple of 4 columns, and [vocabulary], padded alike, as
   * `packWeights` gives them */
  readonly weight: GPUBuffer;
  readonly bias: GPUBuffer;
  /** [rows, k] of { token: u32, log probability: f32 } */
  readonly posteriors: Binding;
  /** [rows]: log Σ exp of all logits */
  readonly logTotals: GPUBuffer;
}

/** The compiled projection with its merge: two dispatches. */
export class VocabularyKernel {
  readonly #tiles: number;

  private constructor(
    private readonly options: VocabularyOptions,
    private readonly tiling: VocabularyTiling,
    private readonly pipeline: GPUComputePipeline,
    private readonly mergePipeline: GPUComputePipeline,
  ) {
    this.#tiles = tilesOf(options, tiling);
  }

  static async compile(
    device: GPUDevice,
    options: VocabularyOptions,
    tiling: VocabularyTiling,
  ): Promise<VocabularyKernel> {
    const code = withProducts(candidates + kernel, tiling);
    const best = tiling.subgroups ? bestSubgroups : bestShared;
    const [pipeline, mergePipeline] = await Promise.all([
      compile(device, 'vocabulary', code, {
        INPUTS: options.inputs,
        VOCABULARY: options.vocabulary,
        EPSILON: options.normEpsilon,
        TOP_K: options.k,
        BITS: tiling.weightBits,
        ROWS: tiling.tileRows,
        LANES: tiling.lanes,
        TILE_COLUMNS: tiling.tileColumns,
      }),
      compile(device, 'top-k merge', best + candidates + mergeCode, {
        TILES: tilesOf(options, tiling),
        TOP_K: options.k,
        LANES: tiling.lanes,
      }),
    ]);
    return new VocabularyKernel(options, tiling, pipeline, mergePipeline);
  }

  steps(owner: Buffers, buffers: VocabularyBuffers, rows: number): Step[] {
    const { x, weight, bias, posteriors, logTotals } = buffers;
    const { inputs, vocabulary, k } = this.options;
    const { tileRows, weightBits } = this.tiling;
    const tiles = this.#tiles;
    const sizes = owner.sizes('vocabulary', rows);
    const candidates = owner.storage('candidates', 2 * rows * tiles * k);
    const parts = owner.storage('log-sum-exp parts', 2 * rows * tiles);
    const found = 2 * rows * tiles * (k + 1);
    return [
      bind(
        owner.device,
        this.pipeline,
        [sizes, x, weight, bias, candidates, parts],
        [Math.ceil(rows / tileRows), tiles, 1],
        {
          operations: 2 * rows * inputs * vocabulary,
          numbers: ((inputs * weightBits) / 32 + 1) * vocabulary + rows * inputs + found,
        },
      ),
      bind(
        owner.device,
        this.mergePipeline,
        [candidates, parts, posteriors, logTotals],
        [rows, 1, 1],
        { operations: 0, numbers: found + rows * (2 * k + 1) },
      ),
    ];
  }
}

function tilesOf({ vocabulary }: VocabularyOptions, { tileColumns }: VocabularyTiling): number {
  return Math.ceil(vocabulary / tileColumns);
}
