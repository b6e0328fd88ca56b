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
  /** Whether rows listen to evidence; `vocabulary` is a multiple of 4 then. */
  readonly evidence?: boolean | undefined;
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
  /** If rows listen to it. */
  readonly heard?: Heard | undefined;
}

/** Evidence for words, and how much each slot listens to it. */
export interface Heard {
  /** [images, vocabulary] */
  readonly evidence: GPUBuffer;
  /** [slots] */
  readonly tilt: GPUBuffer;
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
        EVIDENCE: options.evidence ?? false,
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

  /** @param slots rows of each image */
  steps(owner: Buffers, buffers: VocabularyBuffers, rows: number, slots = rows): Step[] {
    const { x, weight, bias, posteriors, logTotals, heard } = buffers;
    const { inputs, vocabulary, k, evidence } = this.options;
    if (evidence && !heard) throw new Error('Expected evidence that the rows listen to');
    const { tileRows, weightBits } = this.tiling;
    const tiles = this.#tiles;
    const sizes = owner.sizes('vocabulary', rows, slots);
    const candidates = owner.storage('candidates', 2 * rows * tiles * k);
    const parts = owner.storage('log-sum-exp parts', 2 * rows * tiles);
    const found = 2 * rows * tiles * (k + 1);
    return [
      bind(
        owner.device,
        this.pipeline,
        // Every binding wants a buffer; without evidence any that is not written will do.
        [sizes, x, weight, bias, candidates, parts, heard?.evidence ?? x, heard?.tilt ?? x],
        [Math.ceil(rows / tileRows), tiles, 1],
        {
          operations: 2 * rows * inputs * vocabulary,
          numbers:
            ((inputs * weightBits) / 32 + 1) * vocabulary +
            rows * inputs +
            found +
            (heard ? (rows / slots) * vocabulary + slots : 0),
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
