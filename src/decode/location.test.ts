import { expect, test } from 'vitest';
import type { Decoding } from '../model/decoder.ts';
import { readLocation } from './location.ts';

const [blank, eos] = [0, 2];
const bins = 4;

/** Slots that leave little doubt of this path, where bin i is 10 + i. */
function decoding(path: readonly number[]): Decoding {
  const tokens = Uint32Array.of(blank, eos, 10, 11, 12, 13);
  const likely = Math.log(0.9);
  const logProbs = path.flatMap((token) =>
    Array.from(tokens, (other) => (other === token ? likely : Math.log(0.02))),
  );
  return { tokens: [], slots: [], table: { tokens, logProbs: Float32Array.from(logProbs) } };
}

const certain = decoding([10, 11, 13, 12, eos, blank, blank]);

test('a bin stands for its middle, of the width or of the height', () => {
  const { box, edges } = readLocation(certain, {}, { width: 400, height: 80 });
  expect(edges).toEqual([0.5 / bins, 1.5 / bins, 3.5 / bins, 2.5 / bins]);
  expect(box).toEqual({ x: 50, y: 30, width: 300, height: 20 });
});

test('confidence is the mean over four tokens, or what a curve makes of it', () => {
  const size = { width: 4, height: 4 };
  const { confidence, logProb } = readLocation(certain, {}, size);
  expect(confidence).toBeCloseTo(Math.exp(logProb / 4), 9);
  expect(logProb).toBeLessThan(Math.log(0.9 ** 5) + 0.2);
  const curve = [
    [-2, 0],
    [0, 1],
  ] as const;
  expect(readLocation(certain, { curve }, size).confidence).toBeCloseTo(1 + logProb / 8, 9);
});

test('a spread leaves what is certain where it is, and makes it less so', () => {
  const size = { width: 4, height: 4 };
  const [sharp, spread] = [0, 0.6].map((spread) => readLocation(certain, { spread }, size));
  expect(spread?.edges).toEqual(sharp?.edges);
  expect(spread?.logProb).toBeLessThan(sharp?.logProb ?? 0);
});

test('a decoder that gave no location tokens has failed', () => {
  expect(() => readLocation({ tokens: [], slots: [] }, {}, { width: 1, height: 1 })).toThrow(
    expect.objectContaining({ code: 'worker-failed' }),
  );
});
