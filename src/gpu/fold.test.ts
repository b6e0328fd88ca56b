import { expect, test } from 'vitest';
import { linear, packLinear } from '../reference/linear.ts';
import { expectClose } from '../testing/close.ts';
import { randomMatrix, randomNumbers, seededRandom } from '../testing/random.ts';
import { foldNorm, padOutputs } from './fold.ts';

test('the folded product of a row, scaled by its deviation, is that of the normalised row', () => {
  const [rows, inputs, outputs, epsilon] = [4, 20, 7, 0.1];
  const random = seededRandom(1);
  const x = randomNumbers(random, rows * inputs).map((value) => value + 3);
  const weight = randomMatrix(random, inputs, outputs);
  const bias = randomNumbers(random, outputs);
  const norm = { gain: randomNumbers(random, inputs), bias: randomNumbers(random, inputs) };
  const folded = foldNorm({ weight: weight.data, bias }, norm);
  const pack = (data: Float32Array, b: Float32Array) =>
    packLinear({ shape: [inputs, outputs], data }, { shape: [outputs], data: b });
  const wanted = linear(x, pack(weight.data, bias), { norm: { ...norm, epsilon } });
  const product = linear(x, pack(folded.weight, new Float32Array(outputs)));
  const got = product.map((value, i) => {
    const row = x.subarray(
      Math.floor(i / outputs) * inputs,
      (Math.floor(i / outputs) + 1) * inputs,
    );
    const mean = row.reduce((sum, v) => sum + v, 0) / inputs;
    const variance = row.reduce((sum, v) => sum + (v - mean) ** 2, 0) / inputs;
    return value / Math.sqrt(variance + epsilon) + folded.bias[i % outputs]!;
  });
  expectClose(got, wanted, 1e-5);
});

test('padding adds zero columns up to a multiple of four', () => {
  const padded = padOutputs({
    weight: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10),
    bias: Float32Array.of(1, 2, 3, 4, 5),
  });
  expect([...padded.weight]).toEqual([1, 2, 3, 4, 5, 0, 0, 0, 6, 7, 8, 9, 10, 0, 0, 0]);
  expect([...padded.bias]).toEqual([1, 2, 3, 4, 5, 0, 0, 0]);
  const whole = { weight: new Float32Array(8), bias: new Float32Array(4) };
  expect(padOutputs(whole)).toEqual(whole);
});
