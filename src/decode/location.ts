/** From a pass's slots to where a thing is. */
import { NarvlError } from '../errors.ts';
import type { Decoding, TokenTable } from '../model/decoder.ts';
import type { Edges, Size } from '../model/image.ts';
import { boxOf, inWhole } from '../model/part.ts';
import type { Located } from '../protocol.ts';
import { bestBox } from './box.ts';
import { edgeOf } from './box-probability.ts';
import { type Curve, sureness } from './confidence.ts';
import { nearTable } from './near.ts';
import { bestOverlap, type OverlapBox, type PhraseMap } from './overlap.ts';

/** Ids of the location tokens, in rising order of their bins. */
export function locationTokens({ first, count }: { first: number; count: number }): number[] {
  return Array.from({ length: count }, (_, bin) => first + bin);
}

/** How a box is read off the location tokens. */
export interface Pointing {
  /** Of `nearTable`; 0 if left out. */
  readonly spread?: number | undefined;
  /** Without a map the box is the likeliest by its tokens alone. */
  readonly map?: PhraseMap | undefined;
  /**
   * Of the mean log probability of a box's tokens; with a map of its score. Without a curve `confidence` is
   * that number's exponential.
   */
  readonly curve?: Curve | undefined;
}

/**
 * What a decoding that was asked for the location tokens says of an image of this size.
 * @param part that was looked at, whose cells a map has; all of it if left out
 * @throws NarvlError 'worker-failed' without the tokens, and as `bestOverlap` does.
 */
export function readLocation(
  { table }: Decoding,
  { curve, ...how }: Pointing,
  size: Size,
  part?: Edges,
): Pick<Located, 'box' | 'edges' | 'confidence' | 'logProb'> {
  if (!table) throw new NarvlError('worker-failed', 'The decoder gave no location tokens');
  const { bins, logProb, score } = chooseBox(table, how);
  const count = table.tokens.length - 2; // Beside the blank and the end.
  const at = (bin: number) => edgeOf(bin, count);
  const edges = inWhole([at(bins[0]), at(bins[1]), at(bins[2]), at(bins[3])], part);
  return { box: boxOf(edges, size), edges, confidence: sureness([score], curve), logProb };
}

/**
 * A box, and the log of how good it is: of its expected overlap if there is a map, else of each token.
 * @throws NarvlError as `bestOverlap` does.
 */
export function chooseBox(
  table: TokenTable,
  { spread = 0, map }: Omit<Pointing, 'curve'>,
): OverlapBox {
  const near = nearTable(table, spread);
  if (map) return bestOverlap(near, map);
  const found = bestBox(near);
  return { ...found, score: found.logProb / found.bins.length };
}
