/** Confidence as a frequency. */
import { expect, test } from 'vitest';
import { sureness } from './confidence.ts';

test('is the geometric mean where nothing is calibrated', () => {
  expect(sureness([Math.log(0.9), Math.log(0.4)], undefined)).toBeCloseTo(0.6);
});

test('follows the curve over the mean log probability, whatever the length', () => {
  const curve = [
    [-2, 0.1],
    [-1, 0.3],
    [-0.5, 0.9],
  ] as const;
  expect(sureness([-1], curve)).toBeCloseTo(0.3);
  expect(sureness([-1, -2], curve)).toBeCloseTo(0.2);
  expect(sureness([-0.5, -1, -0.75], curve)).toBeCloseTo(0.6);
  expect(sureness([-9], curve)).toBeCloseTo(0.1);
  expect(sureness([-2], curve)).toBeCloseTo(0.1);
  expect(sureness([0], curve)).toBeCloseTo(0.9);
  expect(sureness([-5], [[-1, 0.7]])).toBeCloseTo(0.7);
});

test('is none of no words', () => {
  expect(sureness([], undefined)).toBe(0);
  expect(sureness([], [[0, 1]])).toBe(0);
});
