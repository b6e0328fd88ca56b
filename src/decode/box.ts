/**
 * The likeliest box that a pass can mean, by its exact probability and out of all boxes.
 *
 * A box is a text of four location tokens, x0, y0, x1, y1, and the end, with x0 < x1 and y0 < y1. It is
 * as likely as any text: the sum over every path through the slots that spells it (Graves et al. 2006,
 * with the end of Query-CTC). 64 bins make four million boxes, so no path is followed for each. The sum
 * is split at the slot s in which x1 first stands: by then a path has spelt x0 y0, from there on it
 * spells x1 y1,
 *
 *     p(x0 y0 x1 y1) = Σ_s before(x0 y0, s) · from(x1 y1, s),
 *
 * and each half has bins² texts only. A half whose likeliest continuation cannot reach the best box so
 * far is left out (branch and bound), which loses nothing.
 */
import type { TokenTable } from '../model/decoder.ts';

/** A box as the bins of its edges. */
export type BoxBins = readonly [x0: number, y0: number, x1: number, y1: number];

/** A box, and the natural log of its probability. */
export interface FoundBox {
  readonly bins: BoxBins;
  readonly logProb: number;
}

/** Columns of the two tokens that stand before the bins. */
const BLANK = 0;
const END = 1;
const FIRST_BIN = 2;

/**
 * The likeliest box; of equals, any.
 *
 * Probabilities are not logarithms here, so that a box takes `slots` products. Below 1e-308 all boxes
 * are alike.
 *
 * @param table the blank, the end and the bins in rising order: [slots, 2 + bins]
 */
export function bestBox({ tokens, logProbs }: TokenTable): FoundBox {
  const columns = tokens.length;
  const bins = columns - FIRST_BIN;
  const slots = logProbs.length / columns;
  const emissions = Float64Array.from(logProbs, Math.exp);
  const before = spellBefore(emissions, slots, bins);
  const from = spellFrom(emissions, slots, bins);
  const most = likeliestFollowers(from, slots, bins);
  const bounds = Float64Array.from({ length: bins * bins }, (_, pair) =>
    dot(before.all, pair * slots, most, pair * slots, slots),
  );
  const pairs = Uint32Array.from(bounds.keys()).sort((a, b) => at(bounds, b) - at(bounds, a));

  let best: BoxBins = [0, 0, 1, 1];
  let score = 0;
  for (const pair of pairs) {
    if (at(bounds, pair) <= score) break;
    const [x0, y0] = [Math.floor(pair / bins), pair % bins];
    for (let x1 = x0 + 1; x1 < bins; x1++) {
      // Two neighbours that are equal stay two with a blank between them.
      const ways = x1 === y0 ? before.blank : before.all;
      for (let y1 = y0 + 1; y1 < bins; y1++) {
        const found = dot(ways, pair * slots, from, (x1 * bins + y1) * slots, slots);
        if (found <= score) continue;
        score = found;
        best = [x0, y0, x1, y1];
      }
    }
  }
  return { bins: best, logProb: Math.log(score) };
}

/** p of the paths through the slots before each that spell each pair: [bins, bins, slots]. */
interface Before {
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

/** In each slot, the most that any pair has that may follow a pair: of greater x and y. */
function likeliestFollowers(from: Float64Array, slots: number, bins: number): Float64Array {
  const most = new Float64Array(bins * bins * slots);
  for (let x = bins - 2; x >= 0; x--) {
    for (let y = bins - 2; y >= 0; y--) {
      const [here, right, below] = [x * bins + y, (x + 1) * bins + y, x * bins + y + 1];
      for (let slot = 0; slot < slots; slot++) {
        most[here * slots + slot] = Math.max(
          at(most, right * slots + slot),
          at(most, below * slots + slot),
          at(from, (right + 1) * slots + slot),
        );
      }
    }
  }
  return most;
}

function dot(a: Float64Array, atA: number, b: Float64Array, atB: number, length: number): number {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += at(a, atA + i) * at(b, atB + i);
  return sum;
}

function at(values: Float64Array, i: number): number {
  return values[i] ?? 0;
}
