/** What a model takes at least: known from its manifest, before anything else of it is downloaded. */
import { NarvlError } from '../errors.ts';
import { weightShapes } from './checks.ts';
import type { WeightBits } from './decoder.ts';
import type { Manifest } from './manifest.ts';

/** In bytes. */
export interface Needs {
  /**
   * All files, which are held while they load, and the decoder's weights as it computes with them. What
   * images take comes on top, and what onnxruntime makes of its graphs.
   */
  readonly memory: number;
  /**
   * The largest buffer: a weight of the decoder's, the word detector's or the phrase map's, or an image's keys and
   * values.
   */
  readonly largest: number;
}

/** @param bits of the decoder's weights where it runs */
export function needsOf(
  { files, decoder, network }: Pick<Manifest, 'files' | 'decoder' | 'network'>,
  bits: WeightBits,
): Needs {
  const { memory: rows, width, layers, vocabulary } = decoder;
  let memory = Object.values(files).reduce((sum, file) => sum + file.bytes, 0);
  const table = ((network?.fusion.words ?? 0) * vocabulary * bits) / 8;
  const places = (network?.fusion.places ?? 0) * vocabulary * 4; // Whatever the bits.
  let largest = Math.max(rows * 2 * width * layers * 4, table, places);
  for (const [inputs = 1, outputs] of weightShapes(decoder).values()) {
    // Biases and norms stay f32; a product's columns are padded to a multiple of 4.
    const bytes = outputs ? (inputs * Math.ceil(outputs / 4) * 4 * bits) / 8 : inputs * 4;
    memory += bytes;
    largest = Math.max(largest, bytes);
  }
  return { memory, largest };
}

/** @throws NarvlError `out-of-memory` with both numbers if a model needs more than `most` bytes. */
export function checkMemory({ memory }: Needs, most: number): void {
  if (memory <= most) return;
  throw new NarvlError(
    'out-of-memory',
    `Expected a model that needs at most ${most} bytes of memory, got one that needs ${memory} or more`,
  );
}

/** What keeps a GPU of these limits from running the decoder, with both numbers; undefined if nothing. */
export function unfit(
  { largest }: Needs,
  limits: Pick<GPUSupportedLimits, 'maxBufferSize' | 'maxStorageBufferBindingSize'>,
): string | undefined {
  const most = Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize);
  if (largest <= most) return undefined;
  return `The model needs a buffer of ${largest} bytes, and this GPU takes at most ${most}`;
}
