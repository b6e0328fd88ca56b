/** Runs layernorm.wgsl: layer normalisation of rows that no product follows. */
import code from '../shaders/layernorm.wgsl?raw';
import type { Buffers } from './buffers.ts';
import { bind, compile, type Step } from './step.ts';

/** What a dispatch reads and writes. */
export interface LayerNormBuffers {
  /** [rows, width] */
  readonly x: GPUBuffer;
  /** [width] */
  readonly gain: GPUBuffer;
  /** [width] */
  readonly bias: GPUBuffer;
  /** [rows, width] */
  readonly y: GPUBuffer;
}

/** A compiled layer norm for rows of one width. */
export class LayerNormKernel {
  private constructor(
    private readonly width: number,
    private readonly pipeline: GPUComputePipeline,
  ) {}

  static async compile(
    device: GPUDevice,
    width: number,
    epsilon: number,
  ): Promise<LayerNormKernel> {
    const constants = { WIDTH: width, EPSILON: epsilon };
    return new LayerNormKernel(width, await compile(device, 'layer norm', code, constants));
  }

  step(owner: Buffers, { x, gain, bias, y }: LayerNormBuffers, rows: number): Step {
    return bind(owner.device, this.pipeline, [x, gain, bias, y], [rows, 1, 1], {
      operations: 8 * rows * this.width,
      numbers: 2 * (rows + 1) * this.width,
    });
  }
}
