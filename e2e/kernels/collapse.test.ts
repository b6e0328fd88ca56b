/** ctc_collapse.wgsl against reference/collapse.ts, exactly. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  CollapseKernel,
  LOWEST_LOG_PROB,
  readPacked,
  readRecord,
  recordLength,
} from '../../src/gpu/collapse.ts';
import { numbersOf } from '../../src/gpu/results.ts';
import { collapse } from '../../src/reference/collapse.ts';
import { expectClose } from '../../src/testing/close.ts';
import { type Bench, withDevice } from './device.ts';

const blank = 3;
const eos = 1;
const k = 2;
const vocabulary = 16;

/** Collapses a batch, given as one list of tokens an image, all of the same length. */
async function check(bench: Bench, kernel: CollapseKernel, batch: number[][]): Promise<void> {
  const slots = batch[0]!.length;
  const pairs = batch.flat().flatMap((token, i) => [token, -i / 8, token + 1, -100]);
  const words = Uint32Array.from(pairs);
  const floats = new Float32Array(words.buffer);
  for (let i = 1; i < pairs.length; i += 2) floats[i] = pairs[i]!;

  const records = bench.output(batch.length * recordLength(slots));
  const posteriors = bench.upload(words);
  const packed = bench.output(batch.length * slots * k);
  const buffers = { posteriors, records, packed };
  const step = kernel.step(bench.buffers, buffers, batch.length, slots);
  const bytes = await bench.run([step], records, batch.length * recordLength(slots));
  const packedBytes = await bench.run([], packed, batch.length * slots * k);
  batch.forEach((tokens, image) => {
    const offset = image * recordLength(slots);
    const got = readRecord(numbersOf(bytes, offset * 4), slots);
    const kept = collapse(tokens, blank, eos);
    const all = readPacked(numbersOf(packedBytes, 4 * image * slots * k, slots * k), {
      k,
      vocabulary,
    });
    expect(all.tokens).toEqual(got.tokens);
    expect(all.slots.map((slot) => slot.kept)).toEqual(kept);
    expect([...all.posteriors.tokens]).toEqual(tokens.flatMap((token) => [token, token + 1]));
    expect(got).toEqual({
      tokens: tokens.filter((_, slot) => kept[slot]),
      slots: tokens.map((token, slot) => ({
        token,
        logProb: -(image * slots + slot) / 8,
        kept: kept[slot],
      })),
    });
  });
}

test('hand-made rows', () =>
  withDevice(async (bench) => {
    const kernel = await CollapseKernel.compile(bench.device, { blank, eos, k, vocabulary });
    await check(bench, kernel, [
      [3, 3, 3, 3, 3, 3],
      [7, 7, 7, 7, 7, 7],
      [7, 3, 7, 7, 3, 8],
      [1, 7, 8, 9, 1, 5],
      [7, 7, 1, 1, 7, 8],
      [4, 5, 6, 7, 8, 1],
    ]);
    await check(bench, kernel, [[5], [3], [1]]);
  }));

test('random batches of 1 to 200 slots', () =>
  withDevice(async (bench) => {
    const kernel = await CollapseKernel.compile(bench.device, { blank, eos, k, vocabulary });
    const batches = fc
      .tuple(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 4 }), fc.boolean())
      .chain(([slots, images, ends]) => {
        // With EOS among few tokens, long rows would hardly ever be read to their end.
        const token = fc.integer({ min: ends ? 0 : 2, max: 6 });
        const row = fc.array(token, { minLength: slots, maxLength: slots });
        return fc.array(row, { minLength: images, maxLength: images });
      });
    await fc.assert(
      fc.asyncProperty(batches, (batch) => check(bench, kernel, batch)),
      { seed: 1, numRuns: 60 },
    );
  }));

test.each([5000, 59_458])('packed posteriors of %i tokens', (many) =>
  withDevice(async (bench) => {
    const kernel = await CollapseKernel.compile(bench.device, {
      blank,
      eos,
      k: 4,
      vocabulary: many,
    });
    const tokens = [many - 1, 0, 4000, 7, 2, 5, 6, 8];
    const logProbs = [-1e-4, -0.7, -11.25, -31.99, 0, -80, Number.NaN, -Infinity];
    const words = Uint32Array.from(tokens.flatMap((token) => [token, 0]));
    const floats = new Float32Array(words.buffer);
    logProbs.forEach((logProb, i) => {
      floats[2 * i + 1] = logProb;
    });
    const posteriors = bench.upload(words);
    const packed = bench.output(8);
    const buffers = { posteriors, records: bench.output(recordLength(2)), packed };
    const step = kernel.step(bench.buffers, buffers, 1, 2);
    const bytes = await bench.run([step], packed, 8);
    const got = readPacked(numbersOf(bytes), { k: 4, vocabulary: many });
    expect(got.tokens).toEqual([many - 1, 2]);
    expect([...got.posteriors.tokens]).toEqual(tokens);
    const wanted = logProbs.map((logProb) => Math.max(logProb, LOWEST_LOG_PROB));
    const found = got.posteriors.logProbs;
    expectClose(found.subarray(0, 6), wanted.slice(0, 6), many > 5000 ? 5e-4 : 7e-5);
    // What is not finite stays so, whatever it was.
    expect([...found.subarray(6)]).toEqual([Number.NaN, Number.NaN]);
  }),
);
