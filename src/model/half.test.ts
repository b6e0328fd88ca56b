/** Halves against their definition: what is nearest. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { halfToNumber, numberToHalf } from './half.ts';

const LARGEST = 0x7bff;

test('halves: subnormals, zeros, infinities and NaN', () => {
  expect(halfToNumber(0x0001)).toBe(2 ** -24);
  expect(halfToNumber(0x03ff)).toBe(1023 * 2 ** -24);
  expect(halfToNumber(0x0400)).toBe(2 ** -14);
  expect(halfToNumber(0x7bff)).toBe(65504);
  expect(halfToNumber(0x8000)).toBe(-0);
  expect(halfToNumber(0xfc00)).toBe(Number.NEGATIVE_INFINITY);
  expect(halfToNumber(0x7e00)).toBeNaN();
});

test('every half survives', () => {
  for (let bits = 0; bits < 0x10000; bits++) {
    const value = halfToNumber(bits);
    if (Number.isNaN(value)) expect(halfToNumber(numberToHalf(value))).toBeNaN();
    else expect(numberToHalf(value)).toBe(bits);
  }
});

test('a number becomes the nearest half, of two the even one', () => {
  const largest = halfToNumber(LARGEST);
  const numbers = fc.oneof(
    fc.float({ min: Math.fround(-largest), max: Math.fround(largest), noNaN: true }),
    fc.float({ min: Math.fround(-1e-4), max: Math.fround(1e-4), noNaN: true }),
    // Halfway between two halves.
    fc.integer({ min: 0, max: LARGEST - 1 }).map((bits) => {
      return (halfToNumber(bits) + halfToNumber(bits + 1)) / 2;
    }),
  );
  fc.assert(
    fc.property(numbers, (value) => {
      const half = numberToHalf(value);
      const distance = Math.abs(halfToNumber(half) - value);
      for (const other of [half - 1, half + 1]) {
        const magnitude = other & 0x7fff;
        if (magnitude > LARGEST || (half & 0x7fff) === 0) continue;
        const further = Math.abs(halfToNumber(other) - value);
        expect(further).toBeGreaterThanOrEqual(distance);
        if (further === distance) expect(half & 1).toBe(0);
      }
    }),
    { numRuns: 2000 },
  );
});

test.each([
  [65_519, 0x7bff],
  [65_520, 0x7c00],
  [1e9, 0x7c00],
  [-Infinity, 0xfc00],
  [2 ** -25, 0],
  [2 ** -24, 1],
  [-0, 0x8000],
])('%d', (value, bits) => {
  expect(numberToHalf(value)).toBe(bits);
});
