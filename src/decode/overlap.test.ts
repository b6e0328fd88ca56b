/** The chosen box against every box that may be chosen, scored cell by cell. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TokenTable } from '../model/decoder.ts';
import { anyTable, blank, certain, eos, everyBox, first, logProbOf } from '../testing/boxes.ts';
import { seededRandom } from '../testing/random.ts';
import { bestBox } from './box.ts';
import type { BoxBins } from './box-probability.ts';
import { bestOverlap, type PhraseMap } from './overlap.ts';

/** Edges that may be tried, one by one. */
function isTried(bin: number, bins: number, stride: number): boolean {
  return bin % stride === 0 || bin === bins - 1;
}

/** Every box that may be chosen, by x0, y0, x1 and y1. */
function tried(bins: number, stride: number): BoxBins[] {
  return everyBox(bins)
    .filter((box) => box.every((bin) => isTried(bin, bins, stride)))
    .sort(([a, b, c, d], [e, f, g, h]) => a - e || b - f || c - g || d - h);
}

/** How much a box is expected to overlap the phrase's, each cell for itself. */
function overlapOf([x0, y0, x1, y1]: BoxBins, bins: number, { places, grid }: PhraseMap): number {
  const [rows, columns] = grid;
  const share = (low: number, high: number, cell: number, cells: number) => {
    const begin = Math.max((low + 0.5) / bins, cell / cells);
    const end = Math.min((high + 0.5) / bins, (cell + 1) / cells);
    return Math.max(0, end - begin) * cells;
  };
  let [common, all, covered] = [0, 0, 0];
  places.forEach((odds, cell) => {
    const [row, column] = [Math.floor(cell / columns), cell % columns];
    const cover = share(x0, x1, column, columns) * share(y0, y1, row, rows);
    const p = 1 / (1 + Math.exp(-odds));
    common += p * cover;
    all += p;
    covered += cover;
  });
  return common / (all + covered - common);
}

function scoreOf(box: BoxBins, table: TokenTable, map: PhraseMap): number {
  const logProb = Math.max(logProbOf(table, box), Math.log(1e-300));
  return Math.log(overlapOf(box, table.tokens.length - 2, map)) + map.weight * logProb;
}

const anyMap: fc.Arbitrary<PhraseMap> = fc
  .record({
    grid: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
    stride: fc.integer({ min: 1, max: 5 }),
    weight: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .chain(({ grid: [rows, columns], ...rest }) =>
    fc
      .array(fc.double({ min: -8, max: 8, noNaN: true }), {
        minLength: rows * columns,
        maxLength: rows * columns,
      })
      .map((odds) => ({ ...rest, grid: [rows, columns], places: Float32Array.from(odds) })),
  );

/** Log odds of a 7 × 7 grid that are `high` in some columns and rows and `low` elsewhere. */
function rectangle(
  [left, top, right, bottom]: readonly [number, number, number, number],
  [low, high]: readonly [number, number],
): Float32Array {
  return Float32Array.from({ length: 49 }, (_, cell) => {
    const [row, column] = [Math.floor(cell / 7), cell % 7];
    return column >= left && column < right && row >= top && row < bottom ? high : low;
  });
}

/** Slots that say nothing of any of 64 bins. */
const undecided = certain(new Array<number>(12).fill(-1), 64);
const seven = { grid: [7, 7], stride: 4 } as const;

describe('bestOverlap', () => {
  test('is the best of all boxes that are tried, and says by what', () => {
    fc.assert(
      fc.property(anyTable(4), anyMap, (table, map) => {
        const found = bestOverlap(table, map);
        const boxes = tried(table.tokens.length - 2, map.stride);
        const scores = boxes.map((box) => scoreOf(box, table, map));
        expect(boxes).toContainEqual([...found.bins]);
        expect(found.score).toBeCloseTo(Math.max(...scores), 9);
        expect(scoreOf(found.bins, table, map)).toBeCloseTo(found.score, 9);
        expect(found.logProb).toBeCloseTo(logProbOf(table, found.bins), 9);
      }),
      { numRuns: 100 },
    );
  });

  test('is where the map is sure, if the tokens say nothing', () => {
    const sure = [-30, 30] as const;
    for (const [edges, bins] of [
      // A bin's edge b is (b + 0.5) / 64, a cell's c / 7: of every fourth the nearest.
      [
        [0, 0, 7, 7],
        [0, 0, 63, 63],
      ],
      [
        [2, 1, 5, 3],
        [16, 8, 44, 28],
      ],
      [
        [0, 3, 1, 7],
        [0, 28, 8, 63],
      ],
    ] as const) {
      const map = { ...seven, places: rectangle(edges, sure), weight: 0 };
      expect(bestOverlap(undecided, map).bins).toEqual(bins);
    }
  });

  test('follows rows and columns of a grid that is not square', () => {
    // Of 2 rows by 4 columns the lower right cell.
    const places = Float32Array.of(-30, -30, -30, -30, -30, -30, -30, 30);
    const map = { places, grid: [2, 4], stride: 1, weight: 0 } as const;
    const { bins, score } = bestOverlap(certain(new Array<number>(7).fill(-1), 8), map);
    expect(bins).toEqual([5, 3, 7, 7]);
    // In eighths the cell is 6…8 by 4…8, and the box 5.5…7.5 by 3.5…7.5.
    expect(Math.exp(score)).toBeCloseTo((1.5 * 3.5) / (2 * 4 + 2 * 4 - 1.5 * 3.5), 9);
  });

  test('of a flat map is what the tokens say, once they have enough of a say', () => {
    const corners = [12, 20, 40, 52] as const;
    const path = corners.flatMap((bin) => [first + bin, blank]);
    const table = certain([...path, eos, eos, eos, eos], 64);
    const flat = { ...seven, places: new Float32Array(49) };
    expect(bestOverlap(table, { ...flat, weight: 1 }).bins).toEqual(corners);
    // With none, all of the photo overlaps the most.
    expect(bestOverlap(table, { ...flat, weight: 0 }).bins).toEqual([0, 0, 63, 63]);
    expect(bestBox(table).bins).toEqual(corners);
  });

  test('of equals is the first, by x0, y0, x1 and y1', () => {
    const power = fc.constantFrom(1, 2, 4, 8);
    let ties = 0;
    fc.assert(
      fc.property(
        power,
        power,
        fc.constantFrom(4, 8),
        fc.infiniteStream(fc.boolean()),
        (...any) => {
          const [rows, columns, bins, cells] = any;
          // Cells that are in or out, and edges at whole parts of a power of 2: no sum is rounded.
          const places = Float32Array.from({ length: rows * columns }, () =>
            cells.next().value ? 1000 : -1000,
          );
          const map = { places, grid: [rows, columns], stride: 1, weight: 0 } as const;
          const table = certain(new Array<number>(7).fill(-1), bins);
          const boxes = tried(bins, 1);
          const overlaps = boxes.map((box) => overlapOf(box, bins, map));
          const most = Math.max(...overlaps);
          expect(bestOverlap(table, map).bins).toEqual(boxes[overlaps.indexOf(most)]);
          if (overlaps.lastIndexOf(most) > overlaps.indexOf(most)) ties++;
        },
      ),
      { seed: 1, numRuns: 200 },
    );
    expect(ties).toBeGreaterThan(4);
  });

  test('of equals that begin at one x0 is the one of the lesser y0, whatever its x1', () => {
    // Two cells that lie side by side at the top, and two that stand at the bottom.
    const within = [0, 1, 6 * 8, 7 * 8];
    const places = Float32Array.from({ length: 64 }, (_, cell) =>
      within.includes(cell) ? 1000 : -1000,
    );
    const map = { places, grid: [8, 8], stride: 1, weight: 0 } as const;
    const lying: BoxBins = [0, 0, 2, 1];
    const standing: BoxBins = [0, 5, 1, 7];
    expect(overlapOf(lying, 8, map)).toBe(overlapOf(standing, 8, map));
    expect(bestOverlap(certain(new Array<number>(7).fill(-1), 8), map).bins).toEqual(lying);
  });

  test('has a finite score where no path spells any box', () => {
    const never = certain(new Array<number>(7).fill(-1), 4).tokens;
    const table = { tokens: never, logProbs: new Float32Array(7 * never.length).fill(-1e4) };
    const places = Float32Array.of(-9, -9, -9, 9);
    const { bins, score, logProb } = bestOverlap(table, {
      ...{ places, grid: [2, 2], stride: 1, weight: 0.5 },
    });
    expect(bins).toEqual([1, 1, 3, 3]);
    expect(logProb).toBe(Number.NEGATIVE_INFINITY);
    expect(Number.isFinite(score)).toBe(true);
  });

  test('refuses a map that is not of its grid, or not of numbers', () => {
    const map = { grid: [2, 2], stride: 1, weight: 0 } as const;
    const table = certain(new Array<number>(7).fill(-1), 4);
    for (const [places, message] of [
      [new Float32Array(3), /expected finite log odds of 4 places, got 3 of them/],
      [Float32Array.of(0, Number.NaN, 0, 0), /of 4 places, got NaN/],
      [Float32Array.of(0, 0, Number.POSITIVE_INFINITY, 0), /of 4 places, got Infinity/],
    ] as const) {
      expect(() => bestOverlap(table, { ...map, places })).toThrow(
        expect.objectContaining({
          code: 'invalid-model',
          message: expect.stringMatching(message),
        }),
      );
    }
  });

  test('is found in less than 30 ms', () => {
    const random = seededRandom(1);
    const places = Float32Array.from({ length: 49 }, () => 8 * random() - 4);
    const table = certain([9, 20, 40, 50, ...new Array<number>(8).fill(eos)], 64);
    const times = Array.from({ length: 20 }, () => {
      const start = performance.now();
      bestOverlap(table, { ...seven, places, weight: 0.1 });
      return performance.now() - start;
    });
    // The least, since other work may take the machine's time.
    expect(Math.min(...times)).toBeLessThan(30);
  });
});
