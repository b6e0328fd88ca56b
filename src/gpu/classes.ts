/** Runs classes.wgsl: a classifier's logits to each cell's softmax and the image's likeliest classes. */
import code from '../shaders/classes.wgsl?raw';
import best from '../shaders/parts/best_shared.wgsl?raw';
import candidates from '../shaders/parts/candidates.wgsl?raw';
import type { Buffers } from './buffers.ts';
import type { Numbers } from './results.ts';
import { bind, compile, type Step } from './step.ts';

/** What is fixed when the kernel is compiled. */
export interface ClassesOptions {
  /** Cells of an image. */
  readonly cells: number;
  /** A multiple of 4. */
  readonly classes: number;
  /** Classes that are told of an image, at most `classes`. */
  readonly top: number;
  /** Numbers from one row of features to the next, and where in it a softmax goes; multiples of 4. */
  readonly stride: number;
  readonly offset: number;
}

/** What a dispatch reads and writes. */
export interface ClassesBuffers {
  /** [batch, cells, classes] */
  readonly logits: GPUBuffer;
  /** [batch, cells, stride] */
  readonly features: GPUBuffer;
  /** [batch, top] of { class: u32, probability: f32 }, see `readTold` */
  readonly told: GPUBuffer;
}

/** A class that an image may show. */
export interface Told {
  readonly id: number;
  /** Its probability. */
  readonly likely: number;
}

/** 32-bit numbers of a class in `told`. */
export const TOLD_NUMBERS = 2;

/** A compiled classifier's end, for any batch. */
export class ClassesKernel {
  private constructor(
    private readonly options: ClassesOptions,
    private readonly pipeline: GPUComputePipeline,
  ) {}

  /** @param lanes of a workgroup */
  static async compile(
    device: GPUDevice,
    options: ClassesOptions,
    { lanes }: { readonly lanes: number },
  ): Promise<ClassesKernel> {
    const pipeline = await compile(device, 'classes', best + candidates + code, {
      CELLS: options.cells,
      CLASSES: options.classes,
      TOP: options.top,
      STRIDE: options.stride,
      OFFSET: options.offset,
      LANES: lanes,
    });
    return new ClassesKernel(options, pipeline);
  }

  step(owner: Buffers, { logits, features, told }: ClassesBuffers, batch: number): Step {
    const { cells, classes } = this.options;
    return bind(owner.device, this.pipeline, [logits, features, told], [cells + 1, batch, 1], {
      // Each cell's maximum, exponentials and quotients, and the mean of all.
      operations: 5 * batch * (cells + 1) * classes,
      numbers: 3 * batch * cells * classes,
    });
  }
}

/** Reads one image's classes, likeliest first. */
export function readTold({ words, floats }: Numbers): Told[] {
  return Array.from({ length: words.length / TOLD_NUMBERS }, (_, i) => ({
    id: words[TOLD_NUMBERS * i] ?? 0,
    likely: floats[TOLD_NUMBERS * i + 1] ?? Number.NaN,
  }));
}
