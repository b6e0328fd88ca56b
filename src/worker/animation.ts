/**
 * The first frame of an animation that is a picture.
 *
 * Many fade in from black, and a caption of their first frame would tell of darkness.
 */
import type { RgbaPixels } from '../model/image.ts';
import { luma } from './ground.ts';
import type { ImageType } from './image-type.ts';

/** Standard deviation of the luma, 0…255, below which a frame shows nothing. */
const FLAT = 4;

/** Share of the strongest contrast among the frames from which on one has faded in. */
const FADED_IN = 0.8;

/** Frames that are looked at; each costs a decode. */
const MOST_FRAMES = 48;

const ANIMATED: readonly string[] = ['gif', 'webp', 'apng', 'avif'];

/**
 * A later frame where `first` shows nothing, if there is one that shows something; else `first`. It stays
 * too where the browser has no ImageDecoder.
 *
 * @param draw gives a frame's pixels, and closes it
 */
export async function firstPicture(
  first: RgbaPixels,
  bytes: Uint8Array<ArrayBuffer>,
  { format, mime }: ImageType,
  draw: (frame: VideoFrame) => RgbaPixels,
): Promise<RgbaPixels> {
  if (!ANIMATED.includes(format) || contrast(first) >= FLAT) return first;
  if (typeof ImageDecoder === 'undefined') return first;
  const decoder = new ImageDecoder({ data: bytes, type: mime });
  try {
    await Promise.all([decoder.tracks.ready, decoder.completed]);
    const count = Math.min(decoder.tracks.selectedTrack?.frameCount ?? 1, MOST_FRAMES);
    // Contrasts first, pixels of one frame later: all of them at once would not fit everywhere.
    const contrasts: number[] = [];
    for (let frameIndex = 0; frameIndex < count; frameIndex++) {
      const frame = await decodeFrame(decoder, frameIndex);
      if (!frame) break;
      contrasts.push(contrast(draw(frame)));
    }
    const strongest = Math.max(...contrasts);
    const chosen = contrasts.findIndex((value) => value >= FADED_IN * strongest);
    if (strongest < FLAT || chosen < 1) return first;
    const frame = await decodeFrame(decoder, chosen);
    return frame ? draw(frame) : first;
  } catch {
    return first; // What can be told of it has been.
  } finally {
    decoder.close();
  }
}

/** Undefined if the frame is not all there: animations break off. */
async function decodeFrame(
  decoder: ImageDecoder,
  frameIndex: number,
): Promise<VideoFrame | undefined> {
  try {
    const { image, complete } = await decoder.decode({ frameIndex });
    if (complete) return image;
    image.close();
  } catch {
    // As if it were not complete.
  }
  return undefined;
}

/** Standard deviation of the luma of every pixel that can be seen. */
function contrast({ data }: RgbaPixels): number {
  let count = 0;
  let sum = 0;
  let squares = 0;
  for (let at = 0; at < data.length; at += 4) {
    if ((data[at + 3] ?? 0) < 128) continue;
    const value = luma(data, at);
    count++;
    sum += value;
    squares += value * value;
  }
  if (count === 0) return 0;
  return Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2));
}
