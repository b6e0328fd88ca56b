import { expect, test } from 'vitest';
import { expectClose } from '../testing/close.ts';
import { randomMatrix, randomNumbers, seededRandom } from '../testing/random.ts';
import { gelu, linear, packLinear } from './linear.ts';

/** x·W + b by its definition. */
function naive(x: Float32Array, weight: Float32Array, bias: Float32Array): number[] {
  const outputs = bias.length;
  const inputs = weight.length / outputs;
  const y: number[] = [];
  for (let row = 0; row < x.length / inputs; row++) {
    for (let j = 0; j < outputs; j++) {
      let sum = bias[j]!;
      for (let k = 0; k < inputs; k++) sum += x[row * inputs + k]! * weight[k * outputs + j]!;
      y.push(sum);
    }
  }
  return y;
}

test.each([
  [1, 1, 1],
  [2, 3, 4],
  [3, 5, 7],
  [5, 16, 9],
  [4, 33, 130],
])('%i rows of %i inputs and %i outputs', (rows, inputs, outputs) => {
  const random = seededRandom(rows + inputs + outputs);
  const x = randomNumbers(random, rows * inputs);
  const weight = randomMatrix(random, inputs, outputs);
  const bias = randomNumbers(random, outputs);
  const layer = packLinear(weight, { shape: [outputs], data: bias });
  const product = naive(x, weight.data, bias);
  expectClose(linear(x, layer), product, 1e-7);

  const residual = randomNumbers(random, rows * outputs);
  const wanted = product.map((value, i) => gelu(value) + residual[i]!);
  expectClose(linear(x, layer, { gelu: true, residual }), wanted, 1e-7);
});

test('a norm comes before the product', () => {
  const layer = packLinear(
    { shape: [2, 2], data: Float32Array.of(1, 0, 0, 1) },
    { shape: [2], data: Float32Array.of(10, 20) },
  );
  const norm = { gain: Float32Array.of(1, 2), bias: Float32Array.of(0, 1), epsilon: 0 };
  expect([...linear(Float32Array.of(3, 5), layer, { norm })]).toEqual([9, 23]);
});

test('GELU at known points, and far out', () => {
  expect(gelu(0)).toBe(0);
  expect(gelu(1)).toBeCloseTo(0.841192, 6);
  expect(gelu(-1)).toBeCloseTo(-0.158808, 6);
  expect(gelu(50)).toBe(50);
  expect(gelu(-50)).toBeCloseTo(0, 12);
});
