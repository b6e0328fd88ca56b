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

/** Sure of the upper left quarter, which the tokens are not. */
const map = {
  ...{ places: Float32Array.of(30, -30, -30, -30), grid: [2, 2] as const },
  ...{ stride: 1, weight: 0 },
};

test('a phrase map chooses the box, as far as the tokens have no say', () => {
  const size = { width: 400, height: 80 };
  const by = (weight: number) => readLocation(certain, { map: { ...map, weight } }, size);
  expect(by(0).edges).toEqual([0.5 / bins, 0.5 / bins, 2.5 / bins, 2.5 / bins]);
  expect(by(0).box).toEqual({ x: 50, y: 10, width: 200, height: 40 });
  expect(by(100).edges).toEqual(readLocation(certain, {}, size).edges);
  expect(by(100).logProb).toBeCloseTo(readLocation(certain, {}, size).logProb, 9);
});

test('confidence is then how much it is expected to overlap, and how likely its tokens are', () => {
  const size = { width: 4, height: 4 };
  const { confidence, logProb } = readLocation(certain, { map }, size);
  // In cells the box is 0.25…1.25 on both axes, and the thing 0…1.
  const overlap = 0.75 ** 2 / (1 + 1 - 0.75 ** 2);
  expect(confidence).toBeCloseTo(overlap, 9);
  const both = readLocation(certain, { map: { ...map, weight: 0.01 } }, size);
  expect(both.logProb).toBe(logProb);
  expect(both.confidence).toBeCloseTo(overlap * Math.exp(0.01 * logProb), 9);
  const curve = [
    [-4, 0],
    [0, 1],
  ] as const;
  const { confidence: calibrated } = readLocation(certain, { map, curve }, size);
  expect(calibrated).toBeCloseTo(1 + Math.log(overlap) / 4, 9);
});

test('a map and a spread are of the part that was looked at', () => {
  const size = { width: 400, height: 80 };
  const part = [0.25, 0, 0.75, 1] as const;
  // Of four edges two are one bin off.
  const near = decoding([10, 11, 12, 13, eos, blank, blank]);
  const { edges, logProb } = readLocation(near, { map, spread: 0.6 }, size, part);
  expect(edges).toEqual([0.25 + 0.25 / bins, 0.5 / bins, 0.25 + 1.25 / bins, 2.5 / bins]);
  expect(logProb).toBeGreaterThan(readLocation(near, { map }, size, part).logProb + 1);
});

test('a decoder that gave no location tokens has failed', () => {
  expect(() => readLocation({ tokens: [], slots: [] }, {}, { width: 1, height: 1 })).toThrow(
    expect.objectContaining({ code: 'worker-failed' }),
  );
});
