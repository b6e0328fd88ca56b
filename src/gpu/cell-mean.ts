/** Runs cell_mean.wgsl: an image's features to the mean of its cells. */
import code from '../shaders/cell_mean.wgsl?raw';
import type { Buffers } from './buffers.ts';
import { bind, compile, type Step } from './step.ts';

/** What is fixed when the kernel is compiled. */
export interface CellMeanOptions {
  /** Cells of an image. */
  readonly cells: number;
  /** Numbers of a cell that count, and from one cell to the next; multiples of 4. */
  readonly width: number;
  readonly stride: number;
}

/** A compiled kernel, for any batch. */
export class CellMeanKernel {
  private constructor(
    private readonly options: CellMeanOptions,
    private readonly lanes: number,
    private readonly pipeline: GPUComputePipeline,
  ) {}

  /** @param lanes of a workgroup */
  static async compile(
    device: GPUDevice,
    options: CellMeanOptions,
    { lanes }: { readonly lanes: number },
  ): Promise<CellMeanKernel> {
    const pipeline = await compile(device, 'cell mean', code, {
      CELLS: options.cells,
      WIDTH: options.width,
      STRIDE: options.stride,
      LANES: lanes,
    });
    return new CellMeanKernel(options, lanes, pipeline);
  }

  /**
   * @param features [batch, cells, stride]
   * @param mean [batch, width]
   */
  step(owner: Buffers, features: GPUBuffer, mean: GPUBuffer, batch: number): Step {
    const { cells, width } = this.options;
    return bind(
      owner.device,
      this.pipeline,
      [features, mean],
      [Math.ceil(width / 4 / this.lanes), batch, 1],
      { operations: batch * cells * width, numbers: batch * (cells + 1) * width },
    );
  }
}
