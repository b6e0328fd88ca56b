/** Runs ctc_collapse.wgsl and reads the records that it writes. */
import type { Decoding, Posteriors, Slot } from '../model/decoder.ts';
import code from '../shaders/ctc_collapse.wgsl?raw';
import type { Buffers } from './buffers.ts';
import type { Numbers } from './results.ts';
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
      { operations: 0, numbers: batch * (2 * slots + recordLength(slots)) },
    );
  }
}

/** Reads one image's record. */
export function readRecord({ words, floats }: Numbers, slotCount: number): Decoding {
  const slots = Array.from({ length: slotCount }, (_, slot): Slot => {
    const at = 1 + slotCount + 3 * slot;
    return {
      token: words[at] ?? 0,
      logProb: floats[at + 1] ?? Number.NaN,
      kept: words[at + 2] === 1,
    };
  });
  return { tokens: Array.from(words.subarray(1, 1 + (words[0] ?? 0))), slots };
}

/** Reads one image's posteriors, k pairs a slot. */
export function readPosteriors({ words, floats }: Numbers, k: number): Posteriors {
  return {
    k,
    tokens: words.filter((_, i) => i % 2 === 0),
    logProbs: floats.filter((_, i) => i % 2 === 1),
  };
}
