import { expect, test } from 'vitest';
import { randomNumbers, seededRandom } from '../testing/random.ts';
import { layerNorm } from './layernorm.ts';

test('rows become mean 0 and variance 1, each for itself', () => {
  const width = 50;
  const norm = { gain: new Float32Array(width).fill(1), bias: new Float32Array(width), epsilon: 0 };
  const x = randomNumbers(seededRandom(1), 3 * width).map((value, i) => value * (1 + i) + 1000);
  const y = layerNorm(x, norm);
  for (let row = 0; row < 3; row++) {
    const values = [...y.subarray(row * width, (row + 1) * width)];
    const mean = values.reduce((sum, value) => sum + value, 0) / width;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / width;
    expect(mean).toBeCloseTo(0, 10);
    expect(variance).toBeCloseTo(1, 10);
  }
});

test('gain, bias and epsilon', () => {
  const norm = { gain: Float32Array.of(2, 3), bias: Float32Array.of(10, 20), epsilon: 3 };
  // Deviation √(1 + 3) = 2.
  expect([...layerNorm(Float32Array.of(4, 6), norm)]).toEqual([9, 21.5]);
});

test('a constant row has no deviation and gives the bias', () => {
  const norm = { gain: Float32Array.of(2, 3), bias: Float32Array.of(10, 20), epsilon: 1e-5 };
  expect([...layerNorm(Float32Array.of(7, 7), norm)]).toEqual([10, 20]);
});
