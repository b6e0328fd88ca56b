/** Which slot wrote which word: the likeliest path through the slots that spells a given text. */
import type { Posteriors, Slot } from '../model/decoder.ts';

/** Ids of the tokens that mean nothing and the end. */
export interface Specials {
  readonly blank: number;
  readonly eos: number;
}

/**
 * Viterbi over the slots' likeliest tokens. States: a blank before, between and after the words,
 * the end, and whatever stands behind it, of which each slot's likeliest token is taken.
 *
 * @returns a slot for each of the posteriors', of which those kept spell `text`
 * @throws RangeError if no path through the tokens that the posteriors hold spells it.
 */
export function bestAlignment(
  posteriors: Posteriors,
  text: readonly number[],
  { blank, eos }: Specials,
): Slot[] {
  const { k, tokens, logProbs } = posteriors;
  const slots = tokens.length / k;
  // Blank, word, blank, …, word, blank, end, behind the end.
  const labels = text.flatMap((token) => [blank, token]);
  labels.push(blank, eos);
  const end = labels.length - 1;
  const behind = end + 1;

  const emission = (slot: number, state: number): number => {
    if (state === behind) return logProbs[slot * k] ?? -Infinity;
    for (let i = slot * k; i < (slot + 1) * k; i++) {
      if (tokens[i] === labels[state]) return logProbs[i] ?? -Infinity;
    }
    return -Infinity;
  };
  /** The states that `state` may come from. */
  const before = (state: number): number[] => {
    if (state === end) return [end - 1, end - 2]; // A second end is behind the first.
    const from = [state, state - 1];
    const word = state % 2 === 1 && state < end;
    if (word && labels[state] !== labels[state - 2]) from.push(state - 2);
    return from;
  };

  let scores = Array.from({ length: behind + 1 }, (_, state) => {
    const first = state === 0 || state === 1; // For an empty text the second is the end.
    return first ? emission(0, state) : -Infinity;
  });
  const origins: number[][] = [];
  for (let slot = 1; slot < slots; slot++) {
    const last = scores;
    const from = last.map((_, state) => best(last, before(state)));
    scores = from.map((origin, state) => (last[origin] ?? -Infinity) + emission(slot, state));
    origins.push(from);
  }
  let state = best(scores, [behind, end, end - 1, end - 2]);
  if ((scores[state] ?? -Infinity) === -Infinity) {
    throw new RangeError(`expected a text that the posteriors can spell, got ${text.join(' ')}`);
  }
  const path = [state];
  for (const from of origins.reverse()) {
    state = from[state] ?? 0;
    path.push(state);
  }
  return path.reverse().map((at, slot) => ({
    token: (at === behind ? tokens[slot * k] : labels[at]) ?? blank,
    logProb: emission(slot, at),
    kept: at < end && at % 2 === 1 && path[slot - 1] !== at,
  }));
}

/** The one of `states` with the greatest score; of equals, the first. */
function best(scores: readonly number[], states: readonly number[]): number {
  const score = (state: number) => scores[state] ?? -Infinity;
  return states.reduce((a, b) => (score(b) > score(a) ? b : a));
}
