/** Runs phrase_map.wgsl: cells and a prompt to log odds that each cell is where the prompt's phrase is. */
import code from '../shaders/phrase_map.wgsl?raw';
import type { Buffers } from './buffers.ts';
import { bind, compile, type Step } from './step.ts';

/** What is fixed when the kernel is compiled. */
export interface PhraseMapOptions {
  /** Cells of an image. */
  readonly cells: number;
  /** Numbers of a cell; a multiple of 4 up to 4,096, of which any WebGPU's workgroup memory holds a row. */
  readonly units: number;
  /** Tokens of a prompt, padding included. */
  readonly words: number;
}

/** What a dispatch reads and writes. */
export interface PhraseMapBuffers {
  /** [batch, cells, units] */
  readonly units: GPUBuffer;
  /** u32 [words] tokens */
  readonly prompt: GPUBuffer;
  /** [vocabulary, units]; zeros for padding */
  readonly table: GPUBuffer;
  /** [cells] */
  readonly prior: GPUBuffer;
  /** [batch, cells] */
  readonly places: GPUBuffer;
}

/** A compiled kernel, for any batch. */
export class PhraseMapKernel {
  private constructor(
    private readonly options: PhraseMapOptions,
    private readonly pipeline: GPUComputePipeline,
  ) {}

  /** @param lanes of a workgroup */
  static async compile(
    device: GPUDevice,
    options: PhraseMapOptions,
    { lanes }: { readonly lanes: number },
  ): Promise<PhraseMapKernel> {
    const pipeline = await compile(device, 'phrase map', code, {
      CELLS: options.cells,
      UNITS: options.units,
      WORDS: options.words,
      LANES: lanes,
    });
    return new PhraseMapKernel(options, pipeline);
  }

  step(owner: Buffers, b: PhraseMapBuffers, batch: number): Step {
    const { cells, units, words } = this.options;
    return bind(
      owner.device,
      this.pipeline,
      [b.units, b.prompt, b.table, b.prior, b.places],
      [1, batch, 1],
      {
        // Every image adds up the prompt's rows anew, which are read once.
        operations: batch * (words + 2 * cells) * units,
        numbers: words * (units + 1) + cells + batch * cells * (units + 1),
      },
    );
  }
}
