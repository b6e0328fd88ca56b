/**
 * From what the page sent to RGBA pixels, distrusting every byte.
 *
 * Type and dimensions are read from the file's header before anything is decoded: a PNG of 64 KB
 * can hold two gigabytes of pixels, and browsers decode a torn file without a word.
 */
import { fileTypeFromBuffer } from 'file-type';
import { imageDimensionsFromData } from 'image-dimensions';
import { NarvlError } from '../errors.ts';
import type { RgbaPixels } from '../model/image.ts';
import type { WireImage } from '../protocol.ts';
import { isWhole } from './whole-file.ts';

/** Formats that Chromium, Firefox and Safari all decode, and whose header tells their size. */
const FORMATS: ReadonlySet<string> = new Set(['jpg', 'png', 'apng', 'gif', 'webp', 'avif']);

/** More than any camera's; their RGBA would fill 480 MB. */
const MOST_PIXELS = 120_000_000;

/** Longer sides are scaled to it by the canvas: the network sees a few hundred pixels of them anyway. */
const LONGEST_SIDE = 2048;

/** @throws NarvlError `unsupported-image`, `image-too-large` or `image-unreadable`. */
export async function readPixels(image: WireImage): Promise<RgbaPixels> {
  switch (image.kind) {
    case 'pixels':
      return isPlain(image.pixels)
        ? image.pixels
        : drawPixels(await createImageBitmap(image.pixels));
    case 'bitmap':
      return drawPixels(image.bitmap);
    case 'blob':
      return drawPixels(await decode(image.blob));
  }
}

/** Whether these are sRGB bytes of a bearable size: there are others, of 16 bits or of wider colours. */
function isPlain({ data, colorSpace, width, height }: ImageData): boolean {
  return (
    data instanceof Uint8ClampedArray &&
    colorSpace === 'srgb' &&
    Math.max(width, height) <= LONGEST_SIDE
  );
}

async function decode(blob: Blob): Promise<ImageBitmap> {
  const bytes = await readBytes(blob);
  const type = await fileTypeFromBuffer(bytes);
  if (!type || !FORMATS.has(type.ext)) {
    const found = bytes.length === 0 ? 'an empty file' : (type?.mime ?? 'bytes of no known type');
    throw new NarvlError(
      'unsupported-image',
      `Expected a JPEG, PNG, GIF, WebP or AVIF image, got ${found}`,
    );
  }
  const size = imageDimensionsFromData(bytes);
  if (!size) {
    throw new NarvlError('image-unreadable', `Expected a whole ${type.mime}, got a torn header`);
  }
  const { width, height } = size;
  if (width * height > MOST_PIXELS) {
    throw new NarvlError(
      'image-too-large',
      `Expected at most ${MOST_PIXELS / 1e6} million pixels, got ${width}×${height}`,
    );
  }
  if (!isWhole(bytes, type.ext)) {
    throw new NarvlError('image-unreadable', `Expected a whole ${type.mime}, got one cut short`);
  }
  try {
    return await createImageBitmap(new Blob([bytes], { type: type.mime }));
  } catch (cause) {
    throw new NarvlError('image-unreadable', `The ${type.mime} cannot be decoded`, { cause });
  }
}

async function readBytes(blob: Blob): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await blob.arrayBuffer());
  } catch (cause) {
    throw new NarvlError('image-unreadable', 'The file could not be read', { cause });
  }
}

/** The bitmap's pixels; the bitmap is closed. */
function drawPixels(bitmap: ImageBitmap): RgbaPixels {
  try {
    const scale = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height));
    const width = Math.max(1, Math.round(bitmap.width * scale));
    const height = Math.max(1, Math.round(bitmap.height * scale));
    const context = new OffscreenCanvas(width, height).getContext('2d', {
      colorSpace: 'srgb',
      willReadFrequently: true,
    });
    if (!context) throw new NarvlError('image-unreadable', 'The browser has no canvas to draw on');
    context.imageSmoothingQuality = 'high';
    context.drawImage(bitmap, 0, 0, width, height);
    return context.getImageData(0, 0, width, height);
  } finally {
    bitmap.close();
  }
}
