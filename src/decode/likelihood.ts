/** How likely a text is: the sum over every path through the slots that spells it. */
import type { Emissions } from './emissions.ts';
import { latticeOf, type Specials } from './lattice.ts';
import { logAdd } from './log-add.ts';

/**
 * log p(text), by the forward algorithm, of the tokens that are known; -Infinity if no path through
 * them spells it.
 */
export function textLogProb(
  emissions: Emissions,
  text: readonly number[],
  specials: Specials,
): number {
  const sum = (logs: Iterable<number>) => [...logs].reduce(logAdd, -Infinity);
  const lattice = latticeOf(emissions, text, specials, emissions.any);
  const { slots, behind, starts, finals, before, emission } = lattice;
  let forward = Array.from({ length: behind + 1 }, (_, state) =>
    starts.includes(state) ? emission(0, state) : -Infinity,
  );
  for (let slot = 1; slot < slots; slot++) {
    const last = forward;
    forward = last.map(
      (_, state) =>
        sum(before(state).map((from) => last[from] ?? -Infinity)) + emission(slot, state),
    );
  }
  return sum(finals.map((state) => forward[state] ?? -Infinity));
}
