/** Runs ctc_collapse.wgsl and reads what it writes: records, or packed posteriors. */
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
  readonly vocabulary: number;
}

/** What a dispatch reads and writes. */
export interface CollapseBuffers {
  /** [batch · slots, k] of { token: u32, log probability: f32 } */
  readonly posteriors: GPUBuffer;
  /** u32 [batch, recordLength(slots)] */
  readonly records: GPUBuffer;
  /** u32 [batch · slots, k] */
  readonly packed: GPUBuffer;
}

/** u32 numbers in one image's record: count, tokens, and three numbers a slot. */
export function recordLength(slots: number): number {
  return 1 + 4 * slots;
}

/** The compiled collapse. */
export class CollapseKernel {
  private constructor(
    private readonly pipeline: GPUComputePipeline,
    private readonly k: number,
  ) {}

  static async compile(device: GPUDevice, options: CollapseOptions): Promise<CollapseKernel> {
    const constants = {
      BLANK: options.blank,
      EOS: options.eos,
      TOP_K: options.k,
      TOKEN_BITS: tokenBits(options.vocabulary),
    };
    return new CollapseKernel(await compile(device, 'collapse', code, constants), options.k);
  }

  step(owner: Buffers, buffers: CollapseBuffers, batch: number, slots: number): Step {
    const sizes = owner.sizes('collapse', slots);
    return bind(
      owner.device,
      this.pipeline,
      [sizes, buffers.posteriors, buffers.records, buffers.packed],
      [batch, 1, 1],
      { operations: 0, numbers: batch * (3 * slots * this.k + recordLength(slots)) },
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

/** Log probabilities that are less come back as this. */
export const LOWEST_LOG_PROB = -32;

/**
 * Reads one image's packed posteriors [slots, k], and with them its text. A log probability has
 * 31 bits less those of a token: steps of 1.2e-4 for 5,000 tokens, 1e-3 for 65,536.
 */
export function readPacked(
  { words }: Numbers,
  { k, vocabulary }: Pick<CollapseOptions, 'k' | 'vocabulary'>,
): Decoding & { readonly posteriors: Posteriors } {
  const bits = tokenBits(vocabulary);
  const notFinite = 2 ** (31 - bits) - 1;
  const step = LOWEST_LOG_PROB / (notFinite - 1);
  const tokens = words.map((word) => word & (2 ** bits - 1));
  const logProbs = Float32Array.from(words, (word) => {
    const steps = (word >>> bits) & notFinite;
    return steps === notFinite ? Number.NaN : steps * step;
  });
  const slots = Array.from({ length: words.length / k }, (_, slot): Slot => {
    const first = slot * k;
    return {
      token: tokens[first] ?? 0,
      logProb: logProbs[first] ?? Number.NaN,
      kept: (words[first] ?? 0) >>> 31 === 1,
    };
  });
  return {
    tokens: slots.filter(({ kept }) => kept).map(({ token }) => token),
    slots,
    posteriors: { k, tokens, logProbs },
  };
}

/** Bits of a packed posterior that hold its token. */
function tokenBits(vocabulary: number): number {
  return Math.ceil(Math.log2(vocabulary));
}
