/** The best box against every box, each scored by the forward algorithm. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyTable, blank, certain, eos, everyBox, first, logProbOf } from '../testing/boxes.ts';
import { bestAlignment } from './align.ts';
import { bestBox } from './box.ts';
import type { BoxBins } from './box-probability.ts';
import { ofTable } from './emissions.ts';

/** Slots that any box fits into; the manifest asks for as many. */
const FEWEST_BOX_SLOTS = 7;

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
