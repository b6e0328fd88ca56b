/** From a pass's slots to where a thing is. */
import { NarvlError } from '../errors.ts';
import type { Decoding } from '../model/decoder.ts';
import type { Size } from '../model/image.ts';
import type { Located } from '../protocol.ts';
import { bestBox } from './box.ts';
import { type Curve, sureness } from './confidence.ts';

/** What a decoding that was asked for the location tokens says of an image of this size. */
export function readLocation(
  { table }: Decoding,
  curve: Curve | undefined,
  { width, height }: Size,
): Pick<Located, 'box' | 'edges' | 'confidence' | 'logProb'> {
  if (!table) throw new NarvlError('worker-failed', 'The decoder gave no location tokens');
  const { bins, logProb } = bestBox(table);
  const count = table.tokens.length - 2; // Beside the blank and the end.
  const edgeOf = (bin: number) => (bin + 0.5) / count;
  const [x0, y0, x1, y1] = [edgeOf(bins[0]), edgeOf(bins[1]), edgeOf(bins[2]), edgeOf(bins[3])];
  const box = {
    x: x0 * width,
    y: y0 * height,
    width: (x1 - x0) * width,
    height: (y1 - y0) * height,
  };
  const confidence = sureness([logProb / bins.length], curve);
  return { box, edges: [x0, y0, x1, y1], confidence, logProb };
}
