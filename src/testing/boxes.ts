/** Random tables of location tokens over a few bins, and every box of those with its probability. */
import fc from 'fast-check';
import type { BoxBins } from '../decode/box-probability.ts';
import { ofTable } from '../decode/emissions.ts';
import { textLogProb } from '../decode/likelihood.ts';
import type { TokenTable } from '../model/decoder.ts';

/** Ids of the blank, the end and the first bin. */
export const [blank, eos, first] = [0, 2, 10];

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

/** Tables of 2 to 5 bins and 4 to 9 slots, in numbers up to `sharpness`. */
export const anyTable = (sharpness: number) =>
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
export function logProbOf(table: TokenTable, bins: BoxBins): number {
  const slots = Array.from({ length: table.logProbs.length / table.tokens.length }, () => ({
    token: blank,
    logProb: 0,
    kept: false,
  }));
  const text = bins.map((bin) => first + bin);
  return textLogProb(ofTable(table, slots), text, { blank, eos });
}

/** All boxes of so many bins, by x0, x1, y0 and y1. */
export function everyBox(bins: number): BoxBins[] {
  const all = Array.from({ length: bins }, (_, bin) => bin);
  const pairs = all.flatMap((low) => all.filter((high) => high > low).map((high) => [low, high]));
  return pairs.flatMap(([x0 = 0, x1 = 0]) =>
    pairs.map(([y0 = 0, y1 = 0]): BoxBins => [x0, y0, x1, y1]),
  );
}

/** The table of slots that leave no doubt of a path. */
export function certain(path: readonly number[], bins: number): TokenTable {
  const tokens = [blank, eos, ...Array.from({ length: bins }, (_, bin) => first + bin)];
  return tableOf(path.map((token) => tokens.map((other) => (other === token ? 0 : -20))));
}
