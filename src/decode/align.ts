/** Which slot wrote which word: the likeliest path through the slots that spells a given text. */
import type { Slot } from '../model/decoder.ts';
import type { Emissions } from './emissions.ts';
import { latticeOf, type Specials } from './lattice.ts';

/**
 * Viterbi over the tokens that are known; behind the end each slot has its likeliest.
 *
 * @returns a choice for each slot, of which those kept spell `text`
 * @throws RangeError if no path through the tokens that are known spells it.
 */
export function bestAlignment(
  emissions: Emissions,
  text: readonly number[],
  specials: Specials,
): Slot[] {
  const { likeliest } = emissions;
  const lattice = latticeOf(emissions, text, specials, (slot) => likeliest(slot).logProb);
  const { slots, labels, end, behind, starts, finals, before, emission } = lattice;

  let scores = Array.from({ length: behind + 1 }, (_, state) =>
    starts.includes(state) ? emission(0, state) : -Infinity,
  );
  const origins: number[][] = [];
  for (let slot = 1; slot < slots; slot++) {
    const last = scores;
    const from = last.map((_, state) => best(last, before(state)));
    scores = from.map((origin, state) => (last[origin] ?? -Infinity) + emission(slot, state));
    origins.push(from);
  }
  let state = best(scores, finals);
  if ((scores[state] ?? -Infinity) === -Infinity) {
    throw new RangeError(`expected a text that the slots can spell, got ${text.join(' ')}`);
  }
  const path = [state];
  for (const from of origins.reverse()) {
    state = from[state] ?? 0;
    path.push(state);
  }
  return path.reverse().map((at, slot) => ({
    token: labels[at] ?? likeliest(slot).token,
    logProb: emission(slot, at),
    kept: at < end && at % 2 === 1 && path[slot - 1] !== at,
  }));
}

/** The one of `states` with the greatest score; of equals, the first. */
function best(scores: readonly number[], states: readonly number[]): number {
  const score = (state: number) => scores[state] ?? -Infinity;
  return states.reduce((a, b) => (score(b) > score(a) ? b : a));
}
