/** Runs attention_map.wgsl: where the slots look in one layer's cross-attention. */
import code from '../shaders/attention_map.wgsl?raw';
import type { AttentionLayout } from './attention.ts';
import type { Buffers } from './buffers.ts';
import { bind, compile, type Step } from './step.ts';

/** What is fixed when the kernel is compiled. */
export interface AttentionMapOptions {
  readonly heads: number;
  /** Width of all heads together; `width / heads` is a multiple of 4. */
  readonly width: number;
  /** The most keys that an image can have. */
  readonly maxKeys: number;
  /** Lanes of a workgroup. */
  readonly lanes: number;
}

/** What a dispatch reads and writes. */
export interface AttentionMapBuffers {
  /** [batch · queries, width], or one image's rows if they are shared. */
  readonly queries: GPUBuffer;
  /** [batch · keys, keyStride] */
  readonly memory: GPUBuffer;
  /** u32 [batch]: keys of each image, at least 1. */
  readonly lengths: GPUBuffer;
  /** [batch, queries, keys] */
  readonly map: GPUBuffer;
}

/** A compiled map, for keys of any layout. */
export class AttentionMapKernel {
  private constructor(
    private readonly width: number,
    private readonly pipeline: GPUComputePipeline,
  ) {}

  static async compile(
    device: GPUDevice,
    { heads, width, maxKeys, lanes }: AttentionMapOptions,
  ): Promise<AttentionMapKernel> {
    const constants = { HEADS: heads, WIDTH: width, MAX_KEYS: maxKeys, LANES: lanes };
    const pipeline = await compile(device, 'attention map', code, constants);
    return new AttentionMapKernel(width, pipeline);
  }

  step(
    owner: Buffers,
    buffers: AttentionMapBuffers,
    layout: Omit<AttentionLayout, 'queryStride' | 'valueOffset'>,
  ): Step {
    const { batch, queries, sharedQueries = false } = layout;
    const uniform = owner.sizes(
      'attention map layout',
      queries,
      sharedQueries ? 0 : queries,
      layout.keys,
      layout.keyStride,
      layout.keyOffset,
    );
    return bind(
      owner.device,
      this.pipeline,
      [uniform, buffers.queries, buffers.memory, buffers.lengths, buffers.map],
      [queries, batch, 1],
      {
        operations: 2 * batch * queries * layout.keys * this.width,
        numbers: batch * ((queries + layout.keys) * this.width + queries * layout.keys),
      },
    );
  }
}
