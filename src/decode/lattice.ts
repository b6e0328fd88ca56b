/**
 * The states that a path through the slots passes to spell a text: a blank before, between and after
 * the words, the end, and whatever stands behind it. Graves et al. (2006), with an end.
 */
import type { Emissions } from './emissions.ts';

/** Ids of the tokens that mean nothing and the end. */
export interface Specials {
  readonly blank: number;
  readonly eos: number;
}

/** A text's states, in the order in which a path may pass them. */
export interface Lattice {
  readonly slots: number;
  /** The token of each state; that behind the end takes any, and has none here. */
  readonly labels: readonly number[];
  /** The state of the end; the one behind it is the last. */
  readonly end: number;
  readonly behind: number;
  /** Where a path may start, where it may be at its end, and where it may come from. */
  readonly starts: readonly number[];
  readonly finals: readonly number[];
  before(state: number): readonly number[];
  /** log p of a state's token in a slot; -Infinity if it is not known there. */
  emission(slot: number, state: number): number;
}

/** The lattice of `text`; `behind` gives log p of what stands in a slot behind the end. */
export function latticeOf(
  emissions: Emissions,
  text: readonly number[],
  { blank, eos }: Specials,
  behind: (slot: number) => number,
): Lattice {
  const labels = [...text.flatMap((token) => [blank, token]), blank, eos];
  const end = labels.length - 1;
  const isWord = (state: number) => state < end && state % 2 === 1;
  return {
    slots: emissions.slots,
    labels,
    end,
    behind: end + 1,
    starts: [0, 1], // The second is the first word, of an empty text the end.
    finals: [end + 1, end, end - 1, end - 2].filter((state) => state >= 0),
    before(state) {
      if (state === end) return [end - 1, end - 2].filter((from) => from >= 0); // A second end is behind the first.
      const from = [state, state - 1].filter((one) => one >= 0);
      // From word to word without a blank, unless that would merge them.
      if (isWord(state) && state > 1 && labels[state] !== labels[state - 2]) from.push(state - 2);
      return from;
    },
    emission(slot, state) {
      const label = labels[state];
      return label === undefined ? behind(slot) : emissions.logProb(slot, label);
    },
  };
}
