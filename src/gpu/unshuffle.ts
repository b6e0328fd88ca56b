/** Runs unshuffle.wgsl: the finer scale of the features, into the rows of their cells. */
import code from '../shaders/unshuffle.wgsl?raw';
import type { Buffers } from './buffers.ts';
import { bind, compile, type Step } from './step.ts';

/** What is fixed when the kernel is compiled. */
export interface UnshuffleOptions {
  /** Of the finer scale. */
  readonly channels: number;
  /** Cells of an image's side: half of the finer scale's pixels. */
  readonly grid: number;
  /** Numbers from one row of features to the next, and where in it these go; multiples of 4. */
  readonly stride: number;
  readonly offset: number;
}

/** A compiled unshuffle, for any batch. */
export class UnshuffleKernel {
  private constructor(
    private readonly options: UnshuffleOptions,
    private readonly pipeline: GPUComputePipeline,
  ) {}

  static async compile(device: GPUDevice, options: UnshuffleOptions): Promise<UnshuffleKernel> {
    const pipeline = await compile(device, 'unshuffle', code, {
      CHANNELS: options.channels,
      GRID: options.grid,
      STRIDE: options.stride,
      OFFSET: options.offset,
    });
    return new UnshuffleKernel(options, pipeline);
  }

  /**
   * @param fine [batch, 2 · grid, 2 · grid, channels]
   * @param features [batch, grid², stride]
   */
  step(owner: Buffers, fine: GPUBuffer, features: GPUBuffer, batch: number): Step {
    const { grid, channels } = this.options;
    const lanes = grid ** 2 * channels;
    return bind(owner.device, this.pipeline, [fine, features], [Math.ceil(lanes / 64), 1, batch], {
      operations: 0,
      numbers: 8 * batch * lanes,
    });
  }
}
