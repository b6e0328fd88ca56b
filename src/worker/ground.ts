/**
 * What a picture with transparent parts lies on.
 *
 * The network is shown pictures on white, as its training was. A white logo would be a white page
 * there, so art that white swallows is laid on black.
 */
import type { RgbaPixels } from '../model/image.ts';

/** Mean distance from white, 0…1, below which art cannot be told from it. */
const SWALLOWED = 0.2;

/** The same pixels, or those of the picture on black where white would swallow it. */
export function layOnGround(pixels: RgbaPixels): RgbaPixels {
  const { data, width, height } = pixels;
  let visible = 0;
  let distance = 0;
  for (let at = 0; at < data.length; at += 4) {
    const alpha = data[at + 3] ?? 0;
    visible += alpha;
    distance += alpha * (255 - luma(data, at));
  }
  const opaque = visible === (data.length / 4) * 255;
  if (opaque || visible === 0 || distance / visible / 255 >= SWALLOWED) return pixels;
  const laid = new Uint8ClampedArray(data.length);
  for (let at = 0; at < data.length; at += 4) {
    const alpha = (data[at + 3] ?? 0) / 255;
    for (let c = 0; c < 3; c++) laid[at + c] = (data[at + c] ?? 0) * alpha;
    laid[at + 3] = 255;
  }
  return { data: laid, width, height };
}

/** Rec. 601 luma of the pixel at `at`, 0…255. */
export function luma(data: Uint8Array | Uint8ClampedArray, at: number): number {
  return 0.299 * (data[at] ?? 0) + 0.587 * (data[at + 1] ?? 0) + 0.114 * (data[at + 2] ?? 0);
}
