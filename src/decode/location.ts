/** From a pass's slots to where a thing is. */
import { NarvlError } from '../errors.ts';
import type { Decoding } from '../model/decoder.ts';
import type { Edges, Size } from '../model/image.ts';
import { boxOf, inWhole } from '../model/part.ts';
import type { Located } from '../protocol.ts';
import { bestBox } from './box.ts';
import { type Curve, sureness } from './confidence.ts';
import { nearTable } from './near.ts';

/** Ids of the location tokens, in rising order of their bins. */
export function locationTokens({ first, count }: { first: number; count: number }): number[] {
  return Array.from({ length: count }, (_, bin) => first + bin);
}

/**
 * What a decoding that was asked for the location tokens says of an image of this size.
 * @param spread of `nearTable`
 * @param part that was looked at; all of it if left out
 */
export function readLocation(
  { table }: Decoding,
  {
    spread = 0,
    curve,
  }: { readonly spread?: number | undefined; readonly curve?: Curve | undefined },
  size: Size,
  part?: Edges,
): Pick<Located, 'box' | 'edges' | 'confidence' | 'logProb'> {
  if (!table) throw new NarvlError('worker-failed', 'The decoder gave no location tokens');
  const { bins, logProb } = bestBox(nearTable(table, spread));
  const count = table.tokens.length - 2; // Beside the blank and the end.
  const edgeOf = (bin: number) => (bin + 0.5) / count;
  const edges = inWhole([edgeOf(bins[0]), edgeOf(bins[1]), edgeOf(bins[2]), edgeOf(bins[3])], part);
  const confidence = sureness([logProb / bins.length], curve);
  return { box: boxOf(edges, size), edges, confidence, logProb };
}
