/** The best box against every box, each scored by the forward algorithm. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TokenTable } from '../model/decoder.ts';
import { bestAlignment } from './align.ts';
import { type BoxBins, bestBox } from './box.ts';
import { ofTable } from './emissions.ts';
import { textLogProb } from './likelihood.ts';

const [blank, eos, first] = [0, 2, 10];

/** Slots that any box fits into; the manifest asks for as many. */
const FEWEST_BOX_SLOTS = 7;

/** The table of [slots, 2 + bins] log probabilities, in f64 so that what differs is the search. */
function tableOf(rows: readonly (readonly number[])[]): TokenTable {
  const bins = (rows[0]?.length ?? 2) - 2;
  const locations = Array.from({ length: bins }, (_, bin) => first + bin);
  return {
    tokens: Uint32Array.of(blank, eos, ...locations),
    logProbs: rows.flat() as unknown as Float32Array,
  };
}

/** Of slots that have `other` tokens beside these, as a decoder's vocabulary has. */
function normalised(row: readonly number[], other: number): number[] {
  const total = Math.log(row.reduce((sum, x) => sum + Math.exp(x), Math.exp(other)));
  return row.map((x) => x - total);
}

const anyTable = (sharpness: number) =>
  fc
    .tuple(fc.integer({ min: 2, max: 5 }), fc.integer({ min: 4, max: 9 }))
    .chain(([bins, slots]) => {
      const number = fc.double({ min: -sharpness, max: sharpness, noNaN: true });
      const row = fc
        .tuple(fc.array(number, { minLength: bins + 2, maxLength: bins + 2 }), number)
        .map(([numbers, other]) => normalised(numbers, other));
      return fc.array(row, { minLength: slots, maxLength: slots });
    })
    .map(tableOf);

/** log p of a box by `likelihood.ts`. */
function logProbOf(table: TokenTable, bins: BoxBins): number {
  const slots = Array.from({ length: table.logProbs.length / table.tokens.length }, () => ({
    token: blank,
    logProb: 0,
    kept: false,
  }));
  const text = bins.map((bin) => first + bin);
  return textLogProb(ofTable(table, slots), text, { blank, eos });
}

function everyBox(bins: number): BoxBins[] {
  const all = Array.from({ length: bins }, (_, bin) => bin);
  const pairs = all.flatMap((low) => all.filter((high) => high > low).map((high) => [low, high]));
  return pairs.flatMap(([x0 = 0, x1 = 0]) =>
    pairs.map(([y0 = 0, y1 = 0]): BoxBins => [x0, y0, x1, y1]),
  );
}

/** The table of slots that leave no doubt of a path. */
function certain(path: readonly number[], bins: number): TokenTable {
  const tokens = [blank, eos, ...Array.from({ length: bins }, (_, bin) => first + bin)];
  return tableOf(path.map((token) => tokens.map((other) => (other === token ? 0 : -20))));
}

describe('bestBox', () => {
  test.each([1, 4, 12])('is the likeliest of all boxes, in numbers up to %i', (sharpness) => {
    fc.assert(
      fc.property(anyTable(sharpness), (table) => {
        const found = bestBox(table);
        const logProbs = everyBox(table.tokens.length - 2).map((bins) => logProbOf(table, bins));
        expect(found.logProb).toBeCloseTo(Math.max(...logProbs), 9);
        expect(logProbOf(table, found.bins)).toBeCloseTo(found.logProb, 9);
      }),
      { numRuns: 60 },
    );
  });

  test('is a box, whatever the likeliest path says', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 7 }), { minLength: 4, maxLength: 4 }),
        (corners) => {
          const path = [...corners.flatMap((bin) => [first + bin, blank]), eos, eos];
          const { bins } = bestBox(certain(path, 8));
          const [x0, y0, x1, y1] = bins;
          expect(x0).toBeLessThan(x1);
          expect(y0).toBeLessThan(y1);
          const [a = 0, b = 0, c = 0, d = 0] = corners;
          if (a < c && b < d) expect(bins).toEqual(corners);
        },
      ),
    );
  });

  test.each([
    ['three', [10, 13, 15, eos, 12, 12, 12]],
    ['five', [10, 13, 15, 16, 11, eos, 12]],
    ['none', [eos, 13, 15, 16, 11, 12, 12]],
  ])('has four edges where the likeliest path has %s', (_, path) => {
    const [x0, y0, x1, y1] = bestBox(certain(path, 8)).bins;
    expect(x0).toBeLessThan(x1);
    expect(y0).toBeLessThan(y1);
  });

  test('keeps equal neighbours apart, for which seven slots are enough', () => {
    const boxes = everyBox(4);
    for (const bins of boxes) {
      const path = bins.flatMap((bin, i) => {
        return bins[i - 1] === bin ? [blank, first + bin] : [first + bin];
      });
      path.push(eos);
      expect(path.length).toBeLessThanOrEqual(FEWEST_BOX_SLOTS);
      while (path.length < FEWEST_BOX_SLOTS) path.push(first);
      expect(bestBox(certain(path, 4)).bins).toEqual(bins);
    }
    expect(boxes.some(([x0, y0, x1, y1]) => x0 === y0 && x1 === y1)).toBe(true);
  });

  test('is by all paths together, where the likeliest one alone spells another', () => {
    const tables = fc.sample(anyTable(2), { numRuns: 40, seed: 1 });
    const others = tables.filter((table) => {
      const slots = Array.from({ length: table.logProbs.length / table.tokens.length }, () => {
        return { token: blank, logProb: 0, kept: false };
      });
      const alongOne = (bins: BoxBins) =>
        bestAlignment(
          ofTable(table, slots),
          bins.map((bin) => first + bin),
          { blank, eos },
        ).reduce((sum, { logProb }) => sum + logProb, 0);
      const boxes = everyBox(table.tokens.length - 2).filter(
        (bins) => logProbOf(table, bins) > -Infinity,
      );
      const [best] = boxes.sort((a, b) => alongOne(b) - alongOne(a));
      return best?.join() !== bestBox(table).bins.join();
    });
    expect(others.length).toBeGreaterThan(4);
  });
});
