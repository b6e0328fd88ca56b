/** The bench's own arithmetic. */
import { expect, test } from 'vitest';
import { interleave, quantile } from './measure.ts';

test('quantiles', () => {
  expect(quantile([3, 1, 2], 0.5)).toBe(2);
  expect(quantile([4, 1, 2, 3], 0.5)).toBe(2.5);
  expect(quantile([0, 10], 0.1)).toBeCloseTo(1);
  expect(quantile([], 0.5)).toBeNaN();
});

test('contenders take turns, each first in its time, and warm-ups do not count', async () => {
  let now = 0;
  const order: string[] = [];
  const contender = (name: string, times: number[]) => ({
    name,
    run: async () => {
      order.push(name);
      now += times.shift() ?? Number.NaN;
    },
  });
  const contenders = [contender('a', [900, 1, 2, 4]), contender('b', [900, 3, 4, 20])];
  const rounds: number[] = [];
  const [a, b] = await interleave(
    contenders,
    { rounds: 3, warmUps: 1 },
    (done) => rounds.push(done),
    () => now,
  );
  expect(order.join('')).toBe('abbaabba');
  expect(rounds).toEqual([1, 2, 3, 4]);
  expect(a).toMatchObject({ milliseconds: [1, 2, 4], median: 2, ratio: 1 });
  expect(b).toMatchObject({ milliseconds: [3, 4, 20], median: 4, ratio: 3 });
});
