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
  /**
   * Queries of a workgroup, if the device has workgroup memory for so many: 1 where an image has
   * one, else 4 times a power of two that divides `lanes`.
   */
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
    const { width, heads, lanes, maxKeys } = options;
    const rows = options.queryRows === 1 ? 1 : 4;
    const limit = device.limits.maxComputeWorkgroupStorageSize;
    const cut = cutToFit(options, options.queryRows / rows, rows, limit);
    const pipeline = await compile(device, 'attention', code, {
      WIDTH: width,
      HEADS: heads,
      ROWS: rows,
      GROUPS: cut.groups,
      LANES: lanes,
      SLICES: cut.slices,
      MAX_KEYS: maxKeys,
      SHARED: cut.shared,
    });
    return new AttentionKernel(options, rows * cut.groups, pipeline);
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

/** How a workgroup of that many groups of rows, or half as many and so on, fits the device. */
function cutToFit(
  options: AttentionOptions,
  groups: number,
  rows: number,
  bytes: number,
): { groups: number; slices: number; shared: number } {
  const { width, heads, maxKeys, lanes } = options;
  const slices = Math.max(1, Math.floor(lanes / (groups * (width / heads / 4))));
  // Scores, whose place the slices' sums take; and each lane's largest.
  const shared = Math.max(groups * maxKeys, slices > 1 ? (rows + 1) * lanes : 0);
  const needed = 16 * (shared + lanes);
  if (needed <= bytes) return { groups, slices, shared };
  if (groups > 1) return cutToFit(options, groups / 2, rows, bytes);
  throw new NarvlError(
    'invalid-model',
    `attention over ${maxKeys} keys needs ${needed} bytes of workgroup memory, and this GPU has ${bytes}`,
  );
}
