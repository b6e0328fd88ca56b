import { expect, test } from 'vitest';
import { expectClose } from '../testing/close.ts';
import { seededRandom } from '../testing/random.ts';
import { preprocess } from './preprocess.ts';

const plain = { mean: [0, 0, 0], std: [1, 1, 1] } as const;

const randomBytes = (length: number) => {
  const random = seededRandom(length);
  return Uint8ClampedArray.from({ length }, () => random() * 256);
};

/** One grey of every pixel, opaque. */
const grey = (...values: number[]) => Uint8Array.from(values.flatMap((v) => [v, v, v, 255]));

/** The same filter in one sum over both directions, by its definition. */
function naive(data: Uint8ClampedArray, width: number, height: number, size: number): number[] {
  const triangle = (input: number, output: number, inputs: number) => {
    const scale = inputs / size;
    const distance = input + 0.5 - (output + 0.5) * scale;
    return Math.max(0, 1 - Math.abs(distance) / Math.max(1, scale));
  };
  const pixels: number[] = [];
  for (let c = 0; c < 3; c++) {
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        let sum = 0;
        let total = 0;
        for (let v = 0; v < height; v++) {
          for (let u = 0; u < width; u++) {
            const weight = triangle(u, x, width) * triangle(v, y, height);
            const at = (v * width + u) * 4;
            const alpha = data[at + 3]! / 255;
            sum += weight * ((data[at + c]! / 255) * alpha + 1 - alpha);
            total += weight;
          }
        }
        pixels.push(sum / total);
      }
    }
  }
  return pixels;
}

test.each([
  [20, 20],
  [31, 17],
  [5, 40],
  [1, 1],
  [3, 2],
])('%i×%i pixels squashed to 7×7', (width, height) => {
  const data = randomBytes(width * height * 4);
  const got = preprocess(data, width, height, { size: 7, ...plain });
  expectClose(got, naive(data, width, height, 7), 1e-6);
});

test('what has the size already is only normalised', () => {
  const data = randomBytes(6 * 6 * 4).map((value, i) => (i % 4 === 3 ? 255 : value));
  const mean = [0.1, 0.2, 0.3] as const;
  const std = [0.4, 0.5, 0.6] as const;
  const got = preprocess(data, 6, 6, { size: 6, mean, std });
  const wanted = mean.flatMap((m, c) =>
    Array.from({ length: 36 }, (_, i) => (data[i * 4 + c]! / 255 - m) / std[c]!),
  );
  expectClose(got, wanted, 1e-6);
});

test('shrinking counts every pixel, growing goes between neighbours', () => {
  const shrunk = preprocess(grey(0, 0, 255, 255, 255, 255), 6, 1, { size: 1, ...plain });
  expectClose(shrunk, new Array(3).fill(19 / 27), 1e-6);
  const grown = preprocess(grey(0, 255), 2, 1, { size: 4, ...plain });
  expectClose(grown.subarray(0, 4), [0, 0.25, 0.75, 1], 1e-6);
});

test('what shines through is white', () => {
  const data = Uint8Array.of(255, 0, 100, 0);
  expect([...preprocess(data, 1, 1, { size: 1, ...plain })]).toEqual([1, 1, 1]);
});

test('bytes that do not fit the size are refused', () => {
  expect(() => preprocess(new Uint8Array(12), 2, 2, { size: 1, ...plain })).toThrow(
    /4 bytes for each of 2×2, got 12/,
  );
  expect(() => preprocess(new Uint8Array(0), 0, 2, { size: 1, ...plain })).toThrow(/0×2/);
});
