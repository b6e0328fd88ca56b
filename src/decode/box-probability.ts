/**
 * The exact probability of any box, by two tables that are made once a pass.
 *
 * A box is a text of four location tokens, x0, y0, x1, y1, and the end. It is as likely as any text: the sum
 * over every path through the slots that spells it (Graves et al. 2006, with the end of Query-CTC). 64 bins
 * make four million boxes, so no path is followed for each. The sum is split at the slot s in which x1 first
 * stands: by then a path has spelt x0 y0, from there on it spells x1 y1,
 *
 *     p(x0 y0 x1 y1) = Σ_s before(x0 y0, s) · from(x1 y1, s),
 *
 * and each half has bins² texts only.
 */
import type { TokenTable } from '../model/decoder.ts';

/** A box as the bins of its edges: x0 < x1 and y0 < y1. */
export type BoxBins = readonly [x0: number, y0: number, x1: number, y1: number];

/** A box, and the natural log of its probability. */
export interface FoundBox {
  readonly bins: BoxBins;
  readonly logProb: number;
}

/** What every box's probability is made of. */
export interface BoxHalves {
  /** How many an edge may be. */
  readonly bins: number;
  readonly slots: number;
  /** Of x0 y0. */
  readonly before: Before;
  /** Of x1 y1, as `spellFrom` gives it. */
  readonly from: Float64Array;
}

/** Where the edge of a bin lies, in shares of the width or height. */
export function edgeOf(bin: number, bins: number): number {
  return (bin + 0.5) / bins;
}

/** Columns of the two tokens that stand before the bins. */
const BLANK = 0;
const END = 1;
const FIRST_BIN = 2;

/**
 * Probabilities are not logarithms here, so that a box takes `slots` products. Below 1e-308 all boxes
 * are alike.
 *
 * @param table the blank, the end and the bins in rising order: [slots, 2 + bins]
 * @param only the bins that edges may be, in rising order, which are 0, 1, … of the halves; all if left out
 */
export function boxHalves(table: TokenTable, only = allBins(table)): BoxHalves {
  const bins = only.length;
  const columns = [BLANK, END, ...only.map((bin) => FIRST_BIN + bin)];
  const slots = table.logProbs.length / table.tokens.length;
  const emissions = Float64Array.from({ length: slots * columns.length }, (_, i) => {
    const row = Math.floor(i / columns.length) * table.tokens.length;
    return Math.exp(table.logProbs[row + (columns[i % columns.length] ?? 0)] ?? 0);
  });
  const before = spellBefore(emissions, slots, bins);
  const from = spellFrom(emissions, slots, bins);
  return { bins, slots, before, from };
}

/** All bins of a table that `boxHalves` takes. */
export function allBins({ tokens }: TokenTable): number[] {
  return Array.from({ length: tokens.length - FIRST_BIN }, (_, bin) => bin);
}

/** p of the box of these bins, x0 < x1 and y0 < y1. */
export function boxProbability(
  { bins, slots, before, from }: BoxHalves,
  x0: number,
  y0: number,
  x1: number,
  y1: number,
): number {
  // Two neighbours that are equal stay two with a blank between them.
  const ways = x1 === y0 ? before.blank : before.all;
  return dot(ways, (x0 * bins + y0) * slots, from, (x1 * bins + y1) * slots, slots);
}

/** p of the paths through the slots before each that spell each pair: [bins, bins, slots]. */
export interface Before {
  readonly all: Float64Array;
  /** Those of them that end in a blank. */
  readonly blank: Float64Array;
}

function spellBefore(emissions: Float64Array, slots: number, bins: number): Before {
  const columns = bins + FIRST_BIN;
  const all = new Float64Array(bins * bins * slots);
  const blank = new Float64Array(bins * bins * slots);
  for (let a = 0; a < bins; a++) {
    for (let b = 0; b < bins; b++) {
      // Paths that end in a blank before a, in a, in a blank behind it, in b, in a blank behind that.
      let [start, first, between, second, end] = [1, 0, 0, 0, 0];
      for (let slot = 0; slot < slots; slot++) {
        const to = (a * bins + b) * slots + slot;
        all[to] = second + end;
        blank[to] = end;
        const none = at(emissions, slot * columns + BLANK);
        end = (end + second) * none;
        second =
          (second + between + (a === b ? 0 : first)) *
          at(emissions, slot * columns + FIRST_BIN + b);
        between = (between + first) * none;
        first = (first + start) * at(emissions, slot * columns + FIRST_BIN + a);
        start *= none;
      }
    }
  }
  return { all, blank };
}

/** p of the paths from each slot on that spell each pair, its first token in that slot: [bins, bins, slots]. */
function spellFrom(emissions: Float64Array, slots: number, bins: number): Float64Array {
  const columns = bins + FIRST_BIN;
  const all = new Float64Array(bins * bins * slots);
  for (let c = 0; c < bins; c++) {
    for (let d = 0; d < bins; d++) {
      // Paths from the slot behind on: from c, from a blank behind it, from d, and all that may follow d.
      let [first, between, second, rest] = [0, 0, 0, 1];
      let [blanks, ended] = [0, 0];
      for (let slot = slots - 1; slot >= 0; slot--) {
        const none = at(emissions, slot * columns + BLANK);
        const nextFirst =
          (first + between + (c === d ? 0 : second)) *
          at(emissions, slot * columns + FIRST_BIN + c);
        between = (between + second) * none;
        second = rest * at(emissions, slot * columns + FIRST_BIN + d);
        // Behind the last slot there is no more to come; behind the end, whatever comes is not read.
        blanks = (slot === slots - 1 ? 1 : blanks + ended) * none;
        ended = at(emissions, slot * columns + END);
        rest = second + blanks + ended;
        first = nextFirst;
        all[(c * bins + d) * slots + slot] = first;
      }
    }
  }
  return all;
}

/** The sum of the products of `length` numbers of each, from `atA` and `atB` on. */
export function dot(
  a: Float64Array,
  atA: number,
  b: Float64Array,
  atB: number,
  length: number,
): number {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += at(a, atA + i) * at(b, atB + i);
  return sum;
}

/** A number of an array, which has it. */
export function at(values: Float64Array, i: number): number {
  return values[i] ?? 0;
}
