import { expect, it } from 'vitest';
import { Pace, timeLeft } from './time-left.ts';

it('says nothing before three are done, and then by what one takes', () => {
  const pace = new Pace();
  pace.done(60_000); // The model was loaded first.
  pace.done(61_000);
  expect(pace.left(10)).toBeUndefined();
  pace.done(63_000);
  expect(pace.left(10)).toBe(15_000);
});

it('follows a machine that gets slower', () => {
  const pace = new Pace();
  for (let i = 0; i < 100; i++) pace.done(i * 100);
  expect(pace.left(10)).toBeCloseTo(1000);
  for (let i = 0; i < 100; i++) pace.done(10_000 + i * 1000);
  expect(pace.left(10)).toBeCloseTo(10_000);
});

it.each([
  [3000, 'a few seconds left'],
  [31_000, 'about 40 seconds left'],
  [58_000, 'about a minute left'],
  [600_000, 'about 10 minutes left'],
  [3_600_000, 'about an hour left'],
  [9_000_000, 'about 3 hours left'],
])('is no more exact than it is: %d', (milliseconds, said) => {
  expect(timeLeft(milliseconds)).toBe(said);
});
