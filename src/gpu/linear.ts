/** Runs linear.wgsl: y = act(LN?(x)·W + b) (+ residual). */
import code from '../shaders/linear.wgsl?raw';
import type { Buffers } from './buffers.ts';
import { bind, compile, type Step } from './step.ts';
import type { Tiling } from './tiling.ts';

/** Rows of a workgroup's tile, as in the shader. */
const tileRows = 4;

/** What is fixed when the kernel is compiled. */
export interface LinearOptions {
  /** Multiples of 4. */
  readonly inputs: number;
  readonly outputs: number;
  /** Folds a layer norm of this epsilon in front; weights must come from `foldNorm`. */
  readonly normEpsilon?: number;
  readonly gelu?: boolean;
  readonly residual?: boolean;
}

/** What a dispatch reads and writes; no buffer may be both. */
export interface LinearBuffers {
  /** [rows, inputs] */
  readonly x: GPUBuffer;
  /** [inputs, outputs] */
  readonly weight: GPUBuffer;
  /** [outputs] */
  readonly bias: GPUBuffer;
  /** [residualRows, outputs], if the kernel adds one. */
  readonly residual?: GPUBuffer;
  /** [rows, outputs] */
  readonly y: GPUBuffer;
}

/** A compiled linear layer, for any weights of its sizes and any number of rows. */
export class LinearKernel {
  private constructor(
    private readonly options: LinearOptions,
    private readonly columnLanes: number,
    private readonly pipeline: GPUComputePipeline,
  ) {}

  static async compile(
    device: GPUDevice,
    options: LinearOptions,
    { columnLanes, slices }: Tiling,
  ): Promise<LinearKernel> {
    const { inputs, outputs, normEpsilon, gelu = false, residual = false } = options;
    const pipeline = await compile(device, `linear ${inputs} to ${outputs}`, code, {
      INPUTS: inputs,
      OUTPUTS: outputs,
      NORMALIZE: normEpsilon !== undefined,
      EPSILON: normEpsilon ?? 0,
      GELU: gelu,
      RESIDUAL: residual,
      COLUMN_LANES: columnLanes,
      SLICES: slices,
    });
    return new LinearKernel(options, columnLanes, pipeline);
  }

  /** @param residualRows rows of the residual, which repeat for the rows of x */
  step(owner: Buffers, buffers: LinearBuffers, rows: number, residualRows = rows): Step {
    const { x, weight, bias, y } = buffers;
    const sizes = owner.sizes(this.pipeline.label, rows, residualRows);
    // Every binding wants a buffer; without a residual any that is not written will do.
    const residual = buffers.residual ?? x;
    return bind(
      owner.device,
      this.pipeline,
      [sizes, x, weight, bias, residual, y],
      [Math.ceil(rows / tileRows), Math.ceil(this.options.outputs / (4 * this.columnLanes)), 1],
    );
  }
}
