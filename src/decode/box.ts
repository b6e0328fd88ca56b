/**
 * The likeliest box that a pass can mean, by its exact probability and out of all boxes.
 *
 * A half of a box, x0 y0, whose likeliest continuation cannot reach the best box so far is left out (branch
 * and bound), which loses nothing.
 */
import type { TokenTable } from '../model/decoder.ts';
import {
  at,
  type BoxBins,
  type BoxHalves,
  boxHalves,
  boxProbability,
  dot,
  type FoundBox,
} from './box-probability.ts';

/**
 * The likeliest box; of equals, any.
 *
 * @param table as `boxHalves` takes it
 */
export function bestBox(table: TokenTable): FoundBox {
  const halves = boxHalves(table);
  const { bins, slots, before } = halves;
  const most = likeliestFollowers(halves);
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
      for (let y1 = y0 + 1; y1 < bins; y1++) {
        const found = boxProbability(halves, x0, y0, x1, y1);
        if (found <= score) continue;
        score = found;
        best = [x0, y0, x1, y1];
      }
    }
  }
  return { bins: best, logProb: Math.log(score) };
}

/** In each slot, the most that any pair has that may follow a pair, of greater x and y: [bins, bins, slots]. */
function likeliestFollowers({ from, slots, bins }: BoxHalves): Float64Array {
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
