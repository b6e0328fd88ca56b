/** A depthwise convolution with ReLU6 over square images, in plain TypeScript. */
import { relu6 } from './linear.ts';

/** A convolution's window and weights. */
export interface Depthwise {
  readonly channels: number;
  /** Pixels of the window's side. */
  readonly kernel: number;
  readonly stride: number;
  /** [kernel, kernel, channels] */
  readonly weight: Float32Array;
  /** [channels] */
  readonly bias: Float32Array;
}

/**
 * Each channel by itself, padded as TensorFlow's SAME does: ceil(side / stride) outputs a side, and of
 * an odd number of zeros the last one behind. Sums are in float64.
 *
 * @param x [side, side, channels]
 * @returns [out, out, channels]
 */
export function depthwise(x: Float32Array, side: number, layer: Depthwise): Float32Array {
  const { channels, kernel, stride, weight, bias } = layer;
  const out = Math.ceil(side / stride);
  const before = Math.floor(((out - 1) * stride + kernel - side) / 2);
  const y = new Float32Array(out * out * channels);
  const sums = new Float64Array(channels);
  for (let pixel = 0; pixel < out * out; pixel++) {
    sums.set(bias);
    for (let tap = 0; tap < kernel * kernel; tap++) {
      const row = Math.floor(pixel / out) * stride + Math.floor(tap / kernel) - before;
      const column = (pixel % out) * stride + (tap % kernel) - before;
      if (row < 0 || row >= side || column < 0 || column >= side) continue;
      const from = (row * side + column) * channels;
      for (let c = 0; c < channels; c++) sums[c]! += weight[tap * channels + c]! * x[from + c]!;
    }
    y.set(sums.map(relu6), pixel * channels);
  }
  return y;
}
