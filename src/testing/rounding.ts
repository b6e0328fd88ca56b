/** What packed weights mean, for oracles. */
import type { LinearWeights } from '../gpu/fold.ts';
import type { WeightBits } from '../model/decoder.ts';
import { halfToNumber, numberToHalf } from '../model/half.ts';

/** The numbers that are left of weights [inputs, outputs] in so many bits. */
export function rounded({ weight, bias }: LinearWeights, bits: WeightBits): LinearWeights {
  if (bits === 32) return { weight, bias };
  if (bits === 16) return { weight: weight.map((v) => halfToNumber(numberToHalf(v))), bias };
  const outputs = bias.length;
  const largest = Array.from({ length: outputs }, (_, column) =>
    weight.reduce((most, v, i) => (i % outputs === column ? Math.max(most, Math.abs(v)) : most), 0),
  );
  const scales = largest.map((most) => Math.fround(most / 127) || 1);
  return {
    weight: weight.map((v, i) => {
      const scale = scales[i % outputs] ?? 1;
      return Math.round(v / scale) * scale;
    }),
    bias,
  };
}

/**
 * Rows of x as a folded layer norm multiplies them: divided by their deviation, and not centred but
 * shifted by their first number, which makes no difference to columns that add up to zero.
 */
export function shifted(x: Float32Array, inputs: number, epsilon: number): Float32Array {
  const rows = new Float32Array(x.length);
  for (let at = 0; at < x.length; at += inputs) {
    const row = x.subarray(at, at + inputs);
    const mean = row.reduce((sum, v) => sum + v, 0) / inputs;
    const variance = row.reduce((sum, v) => sum + (v - mean) ** 2, 0) / inputs;
    const scale = 1 / Math.sqrt(variance + epsilon);
    row.forEach((v, i) => {
      rows[at + i] = (v - (row[0] ?? 0)) * scale;
    });
  }
  return rows;
}
