/** The reference convolution by hand. */
import { expect, test } from 'vitest';
import { depthwise } from './depthwise.ts';

const ones = (kernel: number) => new Float32Array(kernel * kernel).fill(1);

test('stride 1 pads alike on all sides', () => {
  const x = Float32Array.of(1, 0, 0, 0, 0, 0, 0, 0, 2);
  const layer = { channels: 1, kernel: 3, stride: 1, weight: ones(3), bias: Float32Array.of(0.5) };
  expect([...depthwise(x, 3, layer)]).toEqual([1.5, 1.5, 0.5, 1.5, 3.5, 2.5, 0.5, 2.5, 2.5]);
});

test('stride 2 over an even side has its one zero behind, and what is beyond 0…6 is cut', () => {
  // The windows start at pixels 0 and 2: the second one sees a column of zeros behind.
  const x = Float32Array.from({ length: 16 }, (_, i) => (i === 2 ? 4 : i === 3 ? 5 : 0));
  const layer = { channels: 1, kernel: 3, stride: 2, weight: ones(3), bias: Float32Array.of(-1) };
  expect([...depthwise(x, 4, layer)]).toEqual([3, 6, 0, 0]);
});

test('channels do not meet', () => {
  const x = Float32Array.of(1, 2);
  const weight = new Float32Array(18).fill(9);
  weight.set([2, 0.5], 8); // in the middle
  const layer = { channels: 2, kernel: 3, stride: 1, weight, bias: Float32Array.of(0, 3) };
  expect([...depthwise(x, 1, layer)]).toEqual([2, 4]);
});
