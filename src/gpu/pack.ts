/** A linear layer's weights as linear.wgsl and vocabulary.wgsl read them, in fewer bits or in all. */
import type { WeightBits } from '../model/decoder.ts';
import { numberToHalf } from '../model/half.ts';
import type { LinearWeights } from './fold.ts';

/** What a kernel binds. */
export interface PackedWeights {
  readonly weight: Float32Array | Uint32Array;
  /** [outputs]; with 8 bits [2, outputs], the scales of the columns last. */
  readonly bias: Float32Array;
}

/**
 * Weights [inputs, outputs], both multiples of 4, whose every 16 bytes hold four columns of one row,
 * or of two rows in 16 bits, or of four in 8: what a lane reads at once.
 */
export function packWeights({ weight, bias }: LinearWeights, bits: WeightBits): PackedWeights {
  if (bits === 32) return { weight, bias };
  const outputs = bias.length;
  const inputs = weight.length / outputs;
  const rows = 32 / bits;
  const scales = bits === 8 ? columnScales(weight, outputs) : undefined;
  const bytes = new ArrayBuffer((weight.length * bits) / 8);
  const packed = bits === 16 ? new Uint16Array(bytes) : new Int8Array(bytes);
  for (let k = 0; k < inputs; k++) {
    const block = Math.floor(k / rows) * rows * outputs + (k % rows) * 4;
    for (let column = 0; column < outputs; column++) {
      const value = weight[k * outputs + column] ?? 0;
      packed[block + (column >> 2) * 4 * rows + (column & 3)] = scales
        ? Math.round(value / (scales[column] || 1))
        : numberToHalf(value);
    }
  }
  return { weight: new Uint32Array(bytes), bias: scales ? joined(bias, scales) : bias };
}

/** What brings the largest weight of each column to 127. */
function columnScales(weight: Float32Array, outputs: number): Float32Array {
  const scales = new Float32Array(outputs);
  weight.forEach((value, i) => {
    const column = i % outputs;
    scales[column] = Math.max(scales[column] ?? 0, Math.abs(value) / 127);
  });
  return scales;
}

function joined(a: Float32Array, b: Float32Array): Float32Array {
  const both = new Float32Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
