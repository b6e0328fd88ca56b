/** What loading was busy with: works of a stage that overlap count once, and failed ones count too. */
import { expect, test } from 'vitest';
import { covered, during, LOAD_STAGES, takeStages } from './load-stages.ts';

test.each([
  ['nothing', [], 0],
  ['one', [[5, 8]], 3],
  [
    'two apart',
    [
      [5, 8],
      [10, 11],
    ],
    4,
  ],
  [
    'two that overlap, the later first',
    [
      [7, 12],
      [5, 8],
    ],
    7,
  ],
  [
    'one within another, and one that touches',
    [
      [0, 10],
      [2, 3],
      [10, 12],
    ],
    12,
  ],
] as const)('%s', (_, spans, wanted) => {
  expect(covered(spans.map(([from, to]) => ({ from, to })))).toBe(wanted);
});

const pause = (milliseconds: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

test('stages are told apart, side by side counts once, and what was told is forgotten', async () => {
  takeStages();
  const begun = performance.now();
  const [value] = await Promise.all([
    during('compile', async () => {
      await pause(30);
      return 'kernel';
    }),
    during('compile', () => pause(30)),
    during('upload', () => pause(10)),
  ]);
  await expect(during('read', () => Promise.reject(new Error('damaged')))).rejects.toThrow();
  expect(value).toBe('kernel');
  const all = performance.now() - begun;
  const { compile, upload, read, download, tune } = takeStages();
  expect(compile).toBeGreaterThanOrEqual(29);
  expect(compile).toBeLessThanOrEqual(all);
  expect(upload).toBeGreaterThanOrEqual(9);
  expect(upload).toBeLessThanOrEqual(all);
  expect(read).toBeGreaterThanOrEqual(0);
  expect([download, tune]).toEqual([0, 0]);
  expect(Object.values(takeStages())).toEqual(LOAD_STAGES.map(() => 0));
});
