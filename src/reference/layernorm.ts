/** Layer normalisation of rows, in float64. */

/** The learnt part of a layer normalisation of rows of `gain.length` numbers. */
export interface Norm {
  readonly gain: Float32Array;
  readonly bias: Float32Array;
  /** Added to the variance. */
  readonly epsilon: number;
}

/**
 * Normalises each row to mean 0 and variance 1, then applies gain and bias.
 *
 * @param x [rows, width], for width = `norm.gain.length`
 * @returns [rows, width]; not rounded to f32, for a product that follows may use it as it is
 */
export function layerNorm(x: Float32Array, norm: Norm): Float64Array {
  const width = norm.gain.length;
  const y = new Float64Array(x.length);
  for (let start = 0; start < x.length; start += width) {
    let sum = 0;
    for (let i = 0; i < width; i++) sum += x[start + i]!;
    const mean = sum / width;
    // The second pass costs little and keeps rows with a large mean exact.
    let squares = 0;
    for (let i = 0; i < width; i++) squares += (x[start + i]! - mean) ** 2;
    const scale = 1 / Math.sqrt(squares / width + norm.epsilon);
    for (let i = 0; i < width; i++) {
      y[start + i] = (x[start + i]! - mean) * scale * norm.gain[i]! + norm.bias[i]!;
    }
  }
  return y;
}
