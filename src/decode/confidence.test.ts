/** Confidence as a frequency. */
import { expect, test } from 'vitest';
import { sureness } from './confidence.ts';

test('is the geometric mean where nothing is calibrated', () => {
  expect(sureness([Math.log(0.9), Math.log(0.4)], undefined)).toBeCloseTo(0.6);
});

test('is a logistic function of the mean log probability, whatever the length', () => {
  const calibration = { scale: 2, offset: 1 };
  expect(sureness([-0.5], calibration)).toBeCloseTo(0.5);
  expect(sureness([-0.5, -0.5, -0.5], calibration)).toBeCloseTo(0.5);
  expect(sureness([0], calibration)).toBeCloseTo(1 / (1 + Math.exp(-1)));
  expect(sureness([-0.1], calibration)).toBeGreaterThan(sureness([-0.2], calibration));
});

test('is none of no words', () => {
  expect(sureness([], undefined)).toBe(0);
  expect(sureness([], { scale: 1, offset: 5 })).toBe(0);
});
