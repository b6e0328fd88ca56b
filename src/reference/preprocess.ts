/** From an image's bytes to what the vision network takes, in plain TypeScript. */

import { checkPixels, type ImageTransform } from '../model/image.ts';
import { PATCH } from '../model/vision.ts';

/**
 * Lays the image on white, squashes it to size × size and normalises its colours.
 *
 * The filter is a triangle that widens when the image shrinks, so that every pixel counts: what
 * Pillow calls BILINEAR and training used. At size × size it changes nothing.
 *
 * @param data sRGB bytes [height, width, 4], alpha not multiplied in
 * @returns [3, size, size]
 * @throws NarvlError 'invalid-argument' if the data do not have that many bytes.
 */
export function preprocess(
  data: Uint8Array | Uint8ClampedArray,
  width: number,
  height: number,
  { size, mean, std }: ImageTransform,
): Float32Array {
  checkPixels({ data, width, height });
  const columns = filterTaps(width, size);
  const lines = filterTaps(height, size);
  // Across first: rows of the result are then sums of whole rows.
  const across = new Float64Array(height * size * 3);
  for (let y = 0; y < height; y++) {
    columns.forEach(({ first, weights }, x) => {
      const out = (y * size + x) * 3;
      weights.forEach((weight, i) => {
        const at = (y * width + first + i) * 4;
        const alpha = data[at + 3]! / 255;
        for (let c = 0; c < 3; c++) {
          across[out + c]! += weight * ((data[at + c]! / 255) * alpha + 1 - alpha);
        }
      });
    });
  }
  const pixels = new Float32Array(3 * size * size);
  lines.forEach(({ first, weights }, y) => {
    for (let x = 0; x < size; x++) {
      for (let c = 0; c < 3; c++) {
        let sum = 0;
        for (let i = 0; i < weights.length; i++) {
          sum += weights[i]! * across[((first + i) * size + x) * 3 + c]!;
        }
        pixels[(c * size + y) * size + x] = (sum - mean[c]!) / std[c]!;
      }
    }
  });
  return pixels;
}

/** What one output takes of the inputs `first`, `first + 1`, …: weights that add up to 1. */
interface Taps {
  readonly first: number;
  readonly weights: Float64Array;
}

/** The taps of every output of a row of `inputs` resampled to `outputs`. */
function filterTaps(inputs: number, outputs: number): Taps[] {
  const scale = inputs / outputs;
  const support = Math.max(scale, 1);
  return Array.from({ length: outputs }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const first = Math.max(0, Math.floor(centre - support + 0.5));
    const end = Math.min(inputs, Math.floor(centre + support + 0.5));
    const weights = new Float64Array(end - first).map((_, tap) =>
      Math.max(0, 1 - Math.abs(first + tap + 0.5 - centre) / support),
    );
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return { first, weights: weights.map((weight) => weight / total) };
  });
}

/**
 * The patches that a convolution of 3 × 3 at stride 2 is a product over, padded as TensorFlow's SAME.
 *
 * @param planes [3, size, size]
 * @returns [ceil(size / 2)², PATCH]: nine pixels of three colours, and a zero
 */
export function patches(planes: Float32Array, size: number): Float32Array {
  const out = Math.ceil(size / 2);
  const before = Math.floor(((out - 1) * 2 + 3 - size) / 2);
  const rows = new Float32Array(out * out * PATCH);
  for (let i = 0; i < rows.length; i++) {
    const [patch, place] = [Math.floor(i / PATCH), i % PATCH];
    const [pixel, colour] = [Math.floor(place / 3), place % 3];
    const y = 2 * Math.floor(patch / out) + Math.floor(pixel / 3) - before;
    const x = 2 * (patch % out) + (pixel % 3) - before;
    const inside = place < 27 && y >= 0 && y < size && x >= 0 && x < size;
    if (inside) rows[i] = planes[(colour * size + y) * size + x]!;
  }
  return rows;
}
