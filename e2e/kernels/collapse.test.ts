/** ctc_collapse.wgsl against reference/collapse.ts, exactly. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CollapseKernel, readRecord, recordLength } from '../../src/gpu/collapse.ts';
import { numbersOf } from '../../src/gpu/results.ts';
import { collapse } from '../../src/reference/collapse.ts';
import { type Bench, withDevice } from './device.ts';

const blank = 3;
const eos = 1;
const k = 2;

/** Collapses a batch, given as one list of tokens an image, all of the same length. */
async function check(bench: Bench, kernel: CollapseKernel, batch: number[][]): Promise<void> {
  const slots = batch[0]!.length;
  const pairs = batch.flat().flatMap((token, i) => [token, -i / 8, token + 1, -100]);
  const words = Uint32Array.from(pairs);
  const floats = new Float32Array(words.buffer);
  for (let i = 1; i < pairs.length; i += 2) floats[i] = pairs[i]!;

  const records = bench.output(batch.length * recordLength(slots));
  const posteriors = bench.upload(words);
  const step = kernel.step(bench.buffers, { posteriors, records }, batch.length, slots);
  const bytes = await bench.run([step], records, batch.length * recordLength(slots));
  batch.forEach((tokens, image) => {
    const offset = image * recordLength(slots);
    const got = readRecord(numbersOf(bytes, offset * 4), slots);
    const kept = collapse(tokens, blank, eos);
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
    const kernel = await CollapseKernel.compile(bench.device, { blank, eos, k });
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
    const kernel = await CollapseKernel.compile(bench.device, { blank, eos, k });
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
