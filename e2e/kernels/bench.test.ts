/** The bench from end to end on a decoder so small that it takes seconds. */
import { expect, test } from 'vitest';
import { toMarkdown } from '../../bench/report.ts';
import { run } from '../../bench/run.ts';
import type { Shipped } from '../../bench/shipped.ts';
import { requestGpu } from '../../src/gpu/device.ts';
import type { ModelFiles } from '../../src/model/files.ts';
import { fusionShape, randomFusion, randomVision } from '../../src/testing/networks.ts';
import { randomWeights } from '../../src/testing/random.ts';

test('a run has every contender that needs no browser, and says why others are missing', async () => {
  const sizes = { ...fusionShape, width: 64, vocabulary: 304 };
  const { cells, features, words, pad, count, pieces, width, vocabulary } = sizes;
  const shape = {
    ...{ width, heads: 4, layers: 2, ffn: 128, vocabulary, queries: 36 },
    ...{ memory: cells + count * pieces + words, blank: 0, eos: 2, epsilon: 1e-5 },
  };
  const size: Shipped = {
    ...{ name: 'small', shape, weights: randomWeights(shape, 4), search: undefined },
    ...{ captions: { first: 0, count: 30 }, answers: { first: 30, count: 6 } },
    boxes: {
      ...{ queries: { first: 30, count: 6 }, tokens: [40, 41, 42, 43, 44, 45, 46, 47] },
      how: {
        spread: 2,
        map: { grid: [1, 2], places: new Float32Array(2), stride: 2, weight: 0.1 },
      },
    },
    verdicts: { queries: { first: 30, count: 3 }, labels: [[7], [8], [9, 10]] },
    before: {
      manifest: {
        image: { size: 24, mean: [0.5, 0.5, 0.5], std: [0.3, 0.3, 0.3], fit: 'squash' },
        features: { rows: cells, width: features },
        prompt: { length: words, pad },
        names: { count, length: pieces },
        decoder: shape,
      },
      network: async () => ({
        vision: randomVision(1),
        fusion: randomFusion(2, { names: true, detector: false }, sizes),
      }),
      prompt: () => ({ ids: Int32Array.from({ length: words }, () => 5), used: words }),
    },
    // Not looked at without a browser.
    model: {} as ModelFiles,
  };
  const { device, adapter } = await requestGpu(navigator.gpu);
  const failures: string[] = [];
  device.addEventListener('uncapturederror', ({ error }) => failures.push(error.message));
  const said: string[] = [];
  const place = { device, adapter, userAgent: 'a test', browser: false };
  const onProgress = (what: string) => said.push(what);
  const report = await run({ ...place, onProgress }, size, { rounds: 2, paper: false });
  expect(failures).toEqual([]);

  const titles = report.sections.map(({ title }) => title);
  expect(titles).toEqual([
    'Captions, small',
    'Answers, small',
    'Boxes, small',
    'Verdicts, small',
    'Slots',
    'Length of the text',
    'Batches',
    'Whole pipeline',
  ]);
  const [captions, , boxes, verdicts, , texts, , pipeline] = report.sections;
  const letters = (of: readonly { name: string }[] = []) =>
    of.map(({ name }) => name.slice(0, 3)).join('');
  // Products in f16 are a fourth (a) where the adapter has them.
  const inHalves = device.features.has('shader-f16');
  expect(letters(captions?.timed)).toBe(`${inHalves ? '(a)' : ''}(a)(a)(a)(b)(b)(b)(b)(c)(d)(g)`);
  expect(letters(captions?.failed)).toBe(`${inHalves ? '' : '(a)'}(e)(e)(f)(f)(g)(g)`);
  expect(letters(boxes?.timed)).toBe('(a)(b)(c)(d)');
  expect(letters(verdicts?.timed)).toBe('(a)(b)');
  // Behind the pass the location tokens are read, or the labels scored.
  expect(boxes?.timed[0]?.cost).toMatchObject({ submits: 1, dispatches: 17, bytesRead: 340 });
  expect(verdicts?.timed[0]?.cost?.submits).toBe(1);
  expect(letters(pipeline?.timed)).toBe('(a)(a)(b)');
  expect(letters(pipeline?.failed)).toBe('(e)(e)(f)(f)(g)');
  // All of it is one submit; pixels, vision and fusion are the dispatches before a pass's.
  const before = report.encoding?.reduce((sum, { dispatches }) => sum + dispatches, 0) ?? 0;
  expect(pipeline?.timed[0]?.cost).toMatchObject({ submits: 1, dispatches: before + 16 });
  expect(texts?.timed.map(({ name }) => name)).toEqual([
    'a text of 3 tokens',
    'a text of 15 tokens',
  ]);
  for (const { timed } of report.sections) {
    expect(timed[0]?.ratio).toBe(1);
    for (const { milliseconds, median } of timed) {
      expect(milliseconds).toHaveLength(2);
      expect(median).toBeGreaterThan(0);
    }
  }
  expect(report.rates.bandwidth).toBeGreaterThan(0);
  expect(report.kernels?.reduce((sum, { dispatches }) => sum + dispatches, 0)).toBe(16);
  expect(report.predictions.map(({ name }) => name)).toContain('(a), whole pipeline, ms');
  for (const { here, ratios, measured } of report.predictions) {
    for (const ratio of [here, measured, ...Object.values(ratios).flat()])
      expect(ratio).toBeGreaterThan(0);
  }
  expect(toMarkdown(report)).toContain('| (a) one pass, 30 slots |');
  expect(said.length).toBeGreaterThan(20);
  device.destroy();
});
