/** Runs linear.wgsl: y = act(LN?(x)·W + b) (+ residual). */
import kernel from '../shaders/linear.wgsl?raw';
import type { Buffers } from './buffers.ts';
import { withProducts } from './products.ts';
import { type Binding, bind, compile, type Step } from './step.ts';
import type { Tiling } from './tiling.ts';

type LinearTiling = Pick<
  Tiling,
  'weightBits' | 'productBits' | 'tileRows' | 'columnLanes' | 'slices' | 'rowLanes'
>;

/** What is fixed when the kernel is compiled. */
export interface LinearOptions {
  /** Multiples of 4. */
  readonly inputs: number;
  readonly outputs: number;
  /** Folds a layer norm of this epsilon in front; weights must come from `foldNorm`. */
  readonly normEpsilon?: number;
  readonly gelu?: boolean;
  readonly relu6?: boolean;
  /** Clamps to as far from 0 as this. */
  readonly bound?: number;
  readonly residual?: boolean;
  /** Numbers from one row to the next, multiples of 4; by default `inputs` and `outputs`. */
  readonly xStride?: number;
  readonly yStride?: number;
}

/** What a dispatch reads and writes; no buffer may be both. */
export interface LinearBuffers {
  /** [rows, xStride] */
  readonly x: Binding;
  /** [inputs, outputs] and [outputs], as `packWeights` gives them */
  readonly weight: GPUBuffer;
  readonly bias: GPUBuffer;
  /** [residualRows, outputs], if the kernel adds one. */
  readonly residual?: GPUBuffer;
  /** [rows, yStride] */
  readonly y: Binding;
}

/** A compiled linear layer, for any weights of its sizes and any number of rows. */
export class LinearKernel {
  private constructor(
    private readonly options: LinearOptions,
    private readonly tiling: LinearTiling,
    private readonly pipeline: GPUComputePipeline,
  ) {}

  static async compile(
    device: GPUDevice,
    options: LinearOptions,
    tiling: LinearTiling,
  ): Promise<LinearKernel> {
    const { inputs, outputs, normEpsilon } = options;
    const { gelu = false, relu6 = false, bound = 0, residual = false } = options;
    const label = [
      normEpsilon === undefined ? '' : 'norm, ',
      `linear ${inputs} to ${outputs}`,
      gelu ? ', GELU' : '',
      relu6 ? ', ReLU6' : '',
      bound > 0 ? `, within ±${bound}` : '',
      residual ? ', residual' : '',
    ].join('');
    const code = withProducts(kernel, tiling);
    const pipeline = await compile(device, label, code, {
      INPUTS: inputs,
      OUTPUTS: outputs,
      NORMALIZE: normEpsilon !== undefined,
      EPSILON: normEpsilon ?? 0,
      X_STRIDE: options.xStride ?? inputs,
      Y_STRIDE: options.yStride ?? outputs,
      GELU: gelu,
      RELU6: relu6,
      BOUND: bound,
      RESIDUAL: residual,
      BITS: tiling.weightBits,
      ROWS: tiling.tileRows,
      COLUMN_LANES: tiling.columnLanes,
      SLICES: tiling.slices,
      ROW_LANES: tiling.rowLanes,
    });
    return new LinearKernel(options, tiling, pipeline);
  }

  /** @param residualRows rows of the residual, which repeat for the rows of x */
  step(owner: Buffers, buffers: LinearBuffers, rows: number, residualRows = rows): Step {
    const { x, weight, bias, y } = buffers;
    const { inputs, outputs } = this.options;
    const { weightBits, tileRows, columnLanes, rowLanes } = this.tiling;
    const sizes = owner.sizes(this.pipeline.label, rows, residualRows);
    // Every binding wants a buffer; without a residual any that is not written will do.
    const residual = buffers.residual ?? x;
    return bind(
      owner.device,
      this.pipeline,
      [sizes, x, weight, bias, residual, y],
      [Math.ceil(rows / (tileRows * rowLanes)), Math.ceil(outputs / (4 * columnLanes)), 1],
      {
        operations: 2 * rows * inputs * outputs,
        numbers:
          ((inputs * weightBits) / 32 + 1) * outputs +
          rows * (inputs + outputs) +
          (buffers.residual ? residualRows * outputs : 0),
      },
    );
  }
}
