/** Runs attention.wgsl: all heads of one self- or cross-attention. */
import { NarvlError } from '../errors.ts';
import code from '../shaders/attention.wgsl?raw';
import type { Buffers } from './buffers.ts';
import { type Binding, bind, compile, type Step } from './step.ts';

/** What is fixed when the kernel is compiled. */
export interface AttentionOptions {
  readonly heads: number;
  /** Width of all heads together; `width / heads` is a multiple of 4. */
  readonly width: number;
  /** The most keys that an image can have. */
  readonly maxKeys: number;
  /** Lanes of a workgroup. */
  readonly lanes: number;
  /** Queries of a workgroup, if the device has workgroup memory for so many; divides `lanes`. */
  readonly queryRows: number;
}

/** What a dispatch reads and writes. */
export interface AttentionBuffers {
  /** [batch · queries, queryStride], or one image's rows if they are shared. */
  readonly queries: Binding;
  /** [batch, keys, keyStride], or as `imageStride` says */
  readonly memory: Binding;
  /** u32 [batch]: keys of each image, at least 1. */
  readonly lengths: GPUBuffer;
  /** [batch · queries, width] */
  readonly y: GPUBuffer;
}

/** How a dispatch finds its rows; strides and offsets in numbers, multiples of 4. */
export interface AttentionLayout {
  readonly batch: number;
  /** Query rows of an image. */
  readonly queries: number;
  /** True if all images have the same queries. */
  readonly sharedQueries?: boolean;
  readonly queryStride: number;
  /** Key rows of an image, padding included. */
  readonly keys: number;
  /** From one image's first key row to the next one's; `keys · keyStride` by default. */
  readonly imageStride?: number;
  readonly keyStride: number;
  readonly keyOffset: number;
  readonly valueOffset: number;
}

/** A compiled attention, for rows of any layout. */
export class AttentionKernel {
  private constructor(
    private readonly options: AttentionOptions,
    private readonly queryRows: number,
    private readonly pipeline: GPUComputePipeline,
  ) {}

  /** @throws NarvlError 'invalid-model' if one query's scores do not fit workgroup memory. */
  static async compile(device: GPUDevice, options: AttentionOptions): Promise<AttentionKernel> {
    const queryRows = fittingRows(options, device.limits.maxComputeWorkgroupStorageSize);
    const pipeline = await compile(device, 'attention', code, {
      WIDTH: options.width,
      HEADS: options.heads,
      LANES: options.lanes,
      QUERY_ROWS: queryRows,
      MAX_KEYS: options.maxKeys,
    });
    return new AttentionKernel(options, queryRows, pipeline);
  }

  step(owner: Buffers, buffers: AttentionBuffers, layout: AttentionLayout): Step {
    const { batch, queries, sharedQueries = false, keys, keyStride } = layout;
    const uniform = owner.sizes(
      'attention layout',
      queries,
      sharedQueries ? 0 : queries,
      layout.queryStride,
      keys,
      layout.imageStride ?? keys * keyStride,
      keyStride,
      layout.keyOffset,
      layout.valueOffset,
    );
    return bind(
      owner.device,
      this.pipeline,
      [uniform, buffers.queries, buffers.memory, buffers.lengths, buffers.y],
      [Math.ceil(queries / this.queryRows), this.options.heads, batch],
      {
        operations: 4 * batch * queries * keys * this.options.width,
        numbers:
          (batch * (queries + 2 * keys) + (sharedQueries ? 1 : batch) * queries) *
          this.options.width,
      },
    );
  }
}

/** Halves the wanted rows until their scores and the two numbers of each lane fit. */
function fittingRows({ maxKeys, lanes, queryRows }: AttentionOptions, bytes: number): number {
  const laneBytes = 2 * lanes * 4;
  let rows = queryRows;
  while (rows > 1 && rows * maxKeys * 4 + laneBytes > bytes) rows /= 2;
  if (rows * maxKeys * 4 + laneBytes > bytes) {
    throw new NarvlError(
      'invalid-model',
      `attention over ${maxKeys} keys needs ${maxKeys * 4 + laneBytes} bytes of workgroup memory, and this GPU has ${bytes}`,
    );
  }
  return rows;
}
