/** Runs ctc_collapse.wgsl and reads the records that it writes. */
import type { Decoding, Posteriors, Slot } from '../model/decoder.ts';
import code from '../shaders/ctc_collapse.wgsl?raw';
import type { Buffers } from './buffers.ts';
import { bind, compile, type Step } from './step.ts';

/** What is fixed when the kernel is compiled. */
export interface CollapseOptions {
  readonly blank: number;
  readonly eos: number;
  /** Posteriors of a slot. */
  readonly k: number;
}

/** What a dispatch reads and writes. */
export interface CollapseBuffers {
  /** [batch · slots, k] of { token: u32, log probability: f32 } */
  readonly posteriors: GPUBuffer;
  /** u32 [batch, recordLength(slots)] */
  readonly records: GPUBuffer;
}

/** u32 numbers in one image's record: count, tokens, and three numbers a slot. */
export function recordLength(slots: number): number {
  return 1 + 4 * slots;
}

/** The compiled collapse. */
export class CollapseKernel {
  private constructor(private readonly pipeline: GPUComputePipeline) {}

  static async compile(device: GPUDevice, options: CollapseOptions): Promise<CollapseKernel> {
    const constants = { BLANK: options.blank, EOS: options.eos, TOP_K: options.k };
    return new CollapseKernel(await compile(device, 'collapse', code, constants));
  }

  step(owner: Buffers, buffers: CollapseBuffers, batch: number, slots: number): Step {
    const sizes = owner.sizes('collapse', slots);
    return bind(
      owner.device,
      this.pipeline,
      [sizes, buffers.posteriors, buffers.records],
      [batch, 1, 1],
    );
  }
}

/** Reads one image's record, `recordLength(slots)` numbers from `offset` on. */
export function readRecord(
  words: Uint32Array,
  floats: Float32Array,
  offset: number,
  slotCount: number,
): Decoding {
  const count = words[offset] ?? 0;
  const slots = Array.from({ length: slotCount }, (_, slot): Slot => {
    const at = offset + 1 + slotCount + 3 * slot;
    return {
      token: words[at] ?? 0,
      logProb: floats[at + 1] ?? Number.NaN,
      kept: words[at + 2] === 1,
    };
  });
  return { tokens: Array.from(words.subarray(offset + 1, offset + 1 + count)), slots };
}

/** Reads one image's posteriors, `slots · k` pairs from `offset` on. */
export function readPosteriors(
  words: Uint32Array,
  floats: Float32Array,
  offset: number,
  slots: number,
  k: number,
): Posteriors {
  const size = slots * k;
  return {
    k,
    tokens: Uint32Array.from({ length: size }, (_, i) => words[offset + 2 * i] ?? 0),
    logProbs: Float32Array.from({ length: size }, (_, i) => floats[offset + 2 * i + 1] ?? 0),
  };
}
