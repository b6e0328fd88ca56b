/** The bench's own arithmetic. */
import { expect, test } from 'vitest';
import { interleave, quantile } from './measure.ts';

test('quantiles', () => {
  expect(quantile([3, 1, 2], 0.5)).toBe(2);
  expect(quantile([4, 1, 2, 3], 0.5)).toBe(2.5);
  expect(quantile([0, 10], 0.1)).toBeCloseTo(1);
  expect(quantile([], 0.5)).toBeNaN();
});

/** Contenders that let a clock of their own run on. */
function contenders(times: Readonly<Record<string, (number | string)[]>>) {
  let now = 0;
  const order: string[] = [];
  const all = Object.entries(times).map(([name, next]) => ({
    name,
    run: async () => {
      order.push(name);
      const time = next.shift();
      if (typeof time !== 'number') throw new Error(`${time}\nand more`);
      now += time;
    },
  }));
  return { all, order, clock: () => now };
}

test('contenders take turns, each round has all of them, and warm-ups do not count', async () => {
  const { all, order, clock } = contenders({ a: [900, 1, 2, 4], b: [900, 3, 4, 20] });
  const rounds: number[] = [];
  const onRound = (done: number) => rounds.push(done);
  const { timed } = await interleave(all, 'a', { rounds: 3, warmUps: 1 }, onRound, clock);
  for (let round = 0; round < 4; round++) {
    expect(order.slice(2 * round, 2 * round + 2).toSorted()).toEqual(['a', 'b']);
  }
  expect(rounds).toEqual([1, 2, 3, 4]);
  expect(timed[0]).toMatchObject({ name: 'a', milliseconds: [1, 2, 4], median: 2, ratio: 1 });
  expect(timed[1]).toMatchObject({ name: 'b', milliseconds: [3, 4, 20], median: 4, ratio: 3 });
});

test('when the time is up, one round that counts is enough', async () => {
  const early = contenders({ a: [1, 2, 3, 4], b: [1, 2, 3, 4] });
  const rounds = { rounds: 3, warmUps: 1 };
  const within = { ...rounds, enough: () => early.clock() >= 6 };
  const { timed } = await interleave(early.all, 'a', within, undefined, early.clock);
  expect(timed.map(({ milliseconds }) => milliseconds)).toEqual([[2], [2]]);

  const late = contenders({ a: [5, 6], b: [7, 8] });
  const over = { ...rounds, enough: () => true };
  const found = await interleave(late.all, 'a', over, undefined, late.clock);
  expect(found.timed.map(({ milliseconds }) => milliseconds)).toEqual([[5], [7]]);
});

test('who throws is out, and without the baseline there are no ratios', async () => {
  const { all, clock } = contenders({ a: [1, 'no more memory'], b: [2, 2, 2], c: [4, 4, 4] });
  const rounds = { rounds: 3, warmUps: 0 };
  const { timed, failed } = await interleave(all, 'a', rounds, undefined, clock);
  expect(failed).toEqual([{ name: 'a', reason: 'no more memory' }]);
  expect(timed.map(({ name, median }) => [name, median])).toEqual([
    ['b', 2],
    ['c', 4],
  ]);
  expect(timed.every(({ ratio }) => ratio === undefined)).toBe(true);
});
