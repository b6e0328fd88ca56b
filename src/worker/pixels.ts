/**
 * From what the page sent to RGBA pixels, distrusting every byte.
 *
 * Type and dimensions are read from the file's header before anything is decoded: a PNG of 64 KB
 * can hold two gigabytes of pixels, and browsers decode a torn file without a word.
 */
import { NarvlError } from '../errors.ts';
import type { RgbaPixels, Size } from '../model/image.ts';
import { partOf, type Region, WHOLE } from '../model/part.ts';
import type { PixelLimits, WireImage } from '../protocol.ts';
import { firstPicture } from './animation.ts';
import { layOnGround } from './ground.ts';
import { heicUnread, type ImageType, readSize, readType } from './image-type.ts';
import { wholeFile } from './whole-file.ts';

/** What phones photograph as, and the most pixels that one has: theirs have 200 million. */
const PHOTOS: readonly string[] = ['jpg', 'heic', 'avif'];
const MOST_OF_A_PHOTO = 250_000_000;

/** Of other formats, whose RGBA is always decoded as a whole: 480 MB. */
const MOST_OF_OTHERS = 120_000_000;

/** JPEGs of more pixels are decoded at a fraction of their size, where the browser can. */
const LARGE = 40_000_000;

/** Longer sides are scaled to it by the canvas: the network sees a few hundred pixels of them anyway. */
const LONGEST_SIDE = 2048;

/** What is looked at of an image. */
export interface Picture {
  readonly pixels: RgbaPixels;
  /** The image's own, upright; its pixels may be fewer. */
  readonly size: Size;
  /** What the pixels show of it, if not all. */
  readonly part?: Region | undefined;
}

/** @throws NarvlError `unsupported-image`, `image-too-large` or `image-unreadable`. */
export async function readPixels(image: WireImage, limits: PixelLimits = {}): Promise<Picture> {
  const { pixels, size } = await pictureOf(image, limits);
  return { pixels: layOnGround(pixels), size, part: partOf(size) };
}

async function pictureOf(
  image: WireImage,
  limits: PixelLimits,
): Promise<Pick<Picture, 'pixels' | 'size'>> {
  switch (image.kind) {
    case 'pixels': {
      const { pixels } = image;
      const { width, height } = pixels;
      const size = { width, height };
      return isPlain(pixels) && !partOf(size)
        ? { pixels, size }
        : { pixels: drawPixels(await createImageBitmap(pixels), size), size };
    }
    case 'bitmap': {
      const { width, height } = image.bitmap; // Before it is closed.
      const size = { width, height };
      return { pixels: drawPixels(image.bitmap, size), size };
    }
    case 'blob':
      return readFile(await readBytes(image.blob), limits);
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

async function readFile(
  bytes: Uint8Array<ArrayBuffer>,
  limits: PixelLimits,
): Promise<Pick<Picture, 'pixels' | 'size'>> {
  const type = await readType(bytes);
  const { format, mime } = type;
  const size = readSize(bytes, format);
  if (!size)
    throw new NarvlError('image-unreadable', `Expected a whole ${mime}, got a torn header`);
  const { width, height } = size;
  const usual = PHOTOS.includes(format) ? MOST_OF_A_PHOTO : MOST_OF_OTHERS;
  const { mostPixels = usual } = limits;
  if (width * height > mostPixels) {
    throw new NarvlError(
      'image-too-large',
      `Expected at most ${mostPixels / 1e6} million pixels, got ${width}×${height}`,
    );
  }
  const whole = await wholeFile(bytes, format);
  if (!whole) throw partMissing(mime);
  const { probes = [] } = whole;
  let all: RgbaPixels | undefined;
  if (probes.length > 0) {
    // Rows may be missing outside of the part that is looked at.
    all = await decode(whole.bytes, type, size, 'all');
    for (const probe of probes) {
      // Read to where it stands, the probe may as well be no JPEG.
      const other = await decode(probe, type, size, 'all').catch(() => undefined);
      if (!other || !areAlike(all, other)) throw partMissing(mime);
    }
  }
  const pixels = all && !partOf(size) ? all : await decode(whole.bytes, type, size);
  const first = await firstPicture(pixels, whole.bytes, type, (frame) => drawFrame(frame, size));
  return { pixels: first, size: asUpright(size, first) };
}

/** A header's size the way up of the pixels: browsers turn a photo as it says that it was taken. */
function asUpright({ width, height }: Size, pixels: Size): Size {
  const turned = width > height !== pixels.width > pixels.height;
  return turned ? { width: height, height: width } : { width, height };
}

function partMissing(mime: string): NarvlError {
  return new NarvlError(
    'image-unreadable',
    `Expected a whole ${mime}, got one cut short: part of the picture is missing`,
  );
}

async function decode(
  bytes: Uint8Array<ArrayBuffer>,
  { format, mime }: ImageType,
  size: Size,
  shown: Shown = 'part',
): Promise<RgbaPixels> {
  try {
    const large = size.width * size.height > LARGE;
    const frame = large && format === 'jpg' ? await decodeScaled(bytes, mime) : undefined;
    if (frame) return drawFrame(frame, size, shown);
    return drawPixels(await createImageBitmap(new Blob([bytes], { type: mime })), size, shown);
  } catch (cause) {
    if (cause instanceof NarvlError) throw cause;
    if (format === 'heic') throw heicUnread(cause);
    throw new NarvlError('image-unreadable', `The ${mime} cannot be decoded`, { cause });
  }
}

async function readBytes(blob: Blob): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await blob.arrayBuffer());
  } catch (cause) {
    throw new NarvlError('image-unreadable', 'The file could not be read', { cause });
  }
}

function areAlike(a: RgbaPixels, b: RgbaPixels): boolean {
  return (
    a.width === b.width && a.height === b.height && a.data.every((value, i) => value === b.data[i])
  );
}

/** Whether pixels are of all of an image, or of the part that is looked at. */
type Shown = 'all' | 'part';

/**
 * A JPEG at a fraction of its size, which its decoder gives without ever having all pixels: those of a
 * phone's photo fill 800 MB. Undefined where the browser cannot.
 */
async function decodeScaled(
  data: Uint8Array<ArrayBuffer>,
  type: string,
): Promise<VideoFrame | undefined> {
  if (typeof ImageDecoder === 'undefined') return undefined;
  const decoder = new ImageDecoder({
    data,
    type,
    desiredWidth: LONGEST_SIDE,
    desiredHeight: LONGEST_SIDE,
  });
  try {
    return (await decoder.decode()).image;
  } finally {
    decoder.close();
  }
}

/** The bitmap's pixels; the bitmap is closed. */
function drawPixels(bitmap: ImageBitmap, size: Size, shown?: Shown): RgbaPixels {
  return draw(bitmap, bitmap, size, shown);
}

/** The frame's pixels; the frame is closed. */
function drawFrame(frame: VideoFrame, size: Size, shown?: Shown): RgbaPixels {
  const { displayWidth: width, displayHeight: height } = frame;
  return draw(frame, { width, height }, size, shown);
}

/**
 * @param full the source's size, of which it may be a fraction
 * @param size the image's own, from which the part is known
 */
function draw(
  source: ImageBitmap | VideoFrame,
  full: Size,
  size: Size,
  shown: Shown = 'part',
): RgbaPixels {
  try {
    const part = shown === 'part' ? partOf(asUpright(size, full)) : undefined;
    const [x0, y0, x1, y1] = part?.edges ?? WHOLE;
    const [across, down] = [(x1 - x0) * full.width, (y1 - y0) * full.height];
    const scale = Math.min(1, LONGEST_SIDE / Math.max(across, down));
    const width = Math.max(1, Math.round(across * scale));
    const height = Math.max(1, Math.round(down * scale));
    const context = new OffscreenCanvas(width, height).getContext('2d', {
      colorSpace: 'srgb',
      willReadFrequently: true,
    });
    if (!context) throw new NarvlError('image-unreadable', 'The browser has no canvas to draw on');
    context.imageSmoothingQuality = 'high';
    const [left, top] = [x0 * full.width, y0 * full.height];
    context.drawImage(source, left, top, across, down, 0, 0, width, height);
    return context.getImageData(0, 0, width, height);
  } finally {
    source.close();
  }
}
