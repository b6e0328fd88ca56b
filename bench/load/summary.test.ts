/** The table of visits: medians by kind, the share of warm in cold, and the verdict. */
import { expect, test } from 'vitest';
import { type Kind, summary, type Visit } from './summary.ts';

const visit = (kind: Kind, words: number, bytes: number): Visit => ({
  kind,
  bytes,
  times: {
    ...{ script: 10, download: words / 2, read: 0, compile: 40, upload: 5, tune: 0, total: 60 },
    ...{ 'first caption': 30, 'later caption': 20, 'address to words': words },
  },
});

const visits = [
  ...[visit('cold', 1000, 18e6), visit('warm', 500, 2e3), visit('warm again', 300, 2e3)],
  ...[visit('cold', 9000, 18e6), visit('warm', 200, 2e3), visit('warm again', 100, 2e3)],
  ...[visit('cold', 2000, 18e6), visit('warm', 400, 2e3), visit('warm again', 200, 2e3)],
];

test('medians, their ratio, and a verdict by the whole', () => {
  const lines = summary(visits).split('\n');
  expect(lines).toContain('| download | 1000 | 200 | 100 | 0.20 |');
  expect(lines).toContain('| read | 0 | 0 | 0 | – |');
  expect(lines).toContain('| address to words | 2000 | 400 | 200 | 0.20 |');
  expect(lines).toContain('| MB from the server | 18.00 | 0.00 | 0.00 | 0.00 |');
  expect(lines.at(-1)).toMatch(/takes 20 % .*within/);
});

test('an even number of rounds has a median too, and a slow warm visit is beyond the bar', () => {
  const slow = [visit('cold', 1000, 1), visit('cold', 2000, 1), visit('warm', 1500, 1)];
  const text = summary(slow);
  expect(text).toContain('| address to words | 1500 | 1500 |');
  expect(text).toMatch(/takes 100 % .*beyond/);
});
