/** Runs memory_rows.wgsl: cells, names and words to the rows that fusion begins with. */
import code from '../shaders/memory_rows.wgsl?raw';
import type { Buffers } from './buffers.ts';
import { bind, compile, type Step } from './step.ts';

/** What is fixed when the kernel is compiled. */
export interface MemoryRowsOptions {
  /** A multiple of 4. */
  readonly width: number;
  /** Rows of an image's cells, of its names' pieces and of the prompt's words, in this order. */
  readonly cells: number;
  readonly names: number;
  readonly words: number;
  /** Pieces of a name; divides `names`. */
  readonly pieces: number;
  readonly epsilon: number;
  /** Tokens that there is evidence for; 0 if there is none. */
  readonly vocabulary: number;
}

/** What a dispatch reads and writes. */
export interface MemoryRowsBuffers {
  /** [batch, cells, width] */
  readonly cells: GPUBuffer;
  /** [batch, names / pieces] as classes.wgsl writes it; any buffer if there are no names. */
  readonly told: GPUBuffer;
  /** u32 [classes, pieces]: tokens of each class's name; any buffer if there are no names. */
  readonly names: GPUBuffer;
  /** u32 [words] tokens */
  readonly prompt: GPUBuffer;
  /** [vocabulary, width] */
  readonly embeddings: GPUBuffer;
  /**
   * [cells + names + words + 9, width]: the rows' positions; gain and bias for cells, for names, for words;
   * what a likelihood of 1 adds, and what a nat of evidence does for a word and against it.
   */
  readonly constants: GPUBuffer;
  /** [batch, vocabulary]; any buffer if there is none. */
  readonly evidence: GPUBuffer;
  /** [batch, cells + names + words, width] */
  readonly y: GPUBuffer;
}

/** A compiled kernel, for any batch. */
export class MemoryRowsKernel {
  private constructor(
    private readonly options: MemoryRowsOptions,
    private readonly pipeline: GPUComputePipeline,
  ) {}

  /** @param lanes of a workgroup */
  static async compile(
    device: GPUDevice,
    options: MemoryRowsOptions,
    { lanes }: { readonly lanes: number },
  ): Promise<MemoryRowsKernel> {
    const { width, cells, names, words, pieces, epsilon, vocabulary } = options;
    const pipeline = await compile(device, 'memory rows', code, {
      WIDTH: width,
      CELLS: cells,
      SEEN: cells + names,
      PIECES: pieces,
      WORDS: words,
      EPSILON: epsilon,
      VOCABULARY: vocabulary,
      LANES: lanes,
    });
    return new MemoryRowsKernel(options, pipeline);
  }

  step(owner: Buffers, b: MemoryRowsBuffers, batch: number): Step {
    const { width, cells, names, words } = this.options;
    const rows = cells + names + words;
    return bind(
      owner.device,
      this.pipeline,
      [b.cells, b.told, b.names, b.prompt, b.embeddings, b.constants, b.evidence, b.y],
      [rows, batch, 1],
      { operations: 10 * batch * rows * width, numbers: (2 * batch + 1) * rows * width },
    );
  }
}
