/** Runs depthwise.wgsl: a convolution of each channel by itself, with ReLU6. */
import code from '../shaders/depthwise.wgsl?raw';
import type { Buffers } from './buffers.ts';
import { bind, compile, type Step } from './step.ts';

/** What is fixed when the kernel is compiled. */
export interface DepthwiseOptions {
  /** A multiple of 4. */
  readonly channels: number;
  /** Pixels of an image's side. */
  readonly side: number;
  /** Pixels of the window's side. */
  readonly kernel: number;
  readonly stride: number;
}

/** What a dispatch reads and writes. */
export interface DepthwiseBuffers {
  /** [batch, side, side, channels] */
  readonly x: GPUBuffer;
  /** [kernel, kernel, channels] */
  readonly weight: GPUBuffer;
  /** [channels] */
  readonly bias: GPUBuffer;
  /** [batch, out, out, channels] for `outputSide` */
  readonly y: GPUBuffer;
}

/** Lanes of a workgroup and outputs of a lane, as in the shader. */
const LANES = 64;
const STRIP = 4;

/** Outputs of an image's side under SAME padding. */
export function outputSide({ side, stride }: Pick<DepthwiseOptions, 'side' | 'stride'>): number {
  return Math.ceil(side / stride);
}

/** A compiled depthwise convolution, for any weights of its sizes and any batch. */
export class DepthwiseKernel {
  private constructor(
    private readonly options: DepthwiseOptions,
    private readonly pipeline: GPUComputePipeline,
  ) {}

  static async compile(device: GPUDevice, options: DepthwiseOptions): Promise<DepthwiseKernel> {
    const { channels, side, kernel, stride } = options;
    const label = `depthwise ${kernel} × ${kernel} of ${channels}, stride ${stride}`;
    const pipeline = await compile(device, label, code, {
      CHANNELS: channels,
      SIDE: side,
      KERNEL: kernel,
      STRIDE: stride,
    });
    return new DepthwiseKernel(options, pipeline);
  }

  step(owner: Buffers, { x, weight, bias, y }: DepthwiseBuffers, batch: number): Step {
    const { channels, side, kernel } = this.options;
    const out = outputSide(this.options);
    const lanes = (out * Math.ceil(out / STRIP) * channels) / 4;
    return bind(
      owner.device,
      this.pipeline,
      [x, weight, bias, y],
      [Math.ceil(lanes / LANES), 1, batch],
      {
        operations: 2 * batch * out ** 2 * kernel ** 2 * channels,
        numbers: channels * (batch * (side ** 2 + out ** 2) + kernel ** 2 + 1),
      },
    );
  }
}
