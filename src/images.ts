/** What holds a picture in a page, and how it goes to the worker. */
import { NarvlError } from './errors.ts';
import type { WireImage } from './protocol.ts';

/** Anything that holds a picture. A string or URL is fetched; the rest never leaves the machine. */
export type ImageSource =
  | Blob
  | ImageBitmap
  | ImageData
  | HTMLImageElement
  | HTMLCanvasElement
  | OffscreenCanvas
  | HTMLVideoElement
  | VideoFrame
  | string
  | URL;

/** An image as the worker takes it. The caller's own object stays usable. */
export async function toWire(image: ImageSource): Promise<WireImage> {
  if (typeof image === 'string' || image instanceof URL) {
    return { kind: 'url', url: new URL(image, document.baseURI).href };
  }
  if (image instanceof Blob) return { kind: 'blob', blob: image };
  if (image instanceof ImageData) return { kind: 'pixels', pixels: image };
  const drawable =
    image instanceof ImageBitmap ||
    image instanceof HTMLImageElement ||
    image instanceof HTMLCanvasElement ||
    image instanceof OffscreenCanvas ||
    image instanceof HTMLVideoElement ||
    (typeof VideoFrame !== 'undefined' && image instanceof VideoFrame);
  if (!drawable) {
    throw new NarvlError(
      'invalid-argument',
      `Expected an image, canvas, video, Blob, ImageData or URL, got ${kindOf(image)}`,
    );
  }
  try {
    return { kind: 'bitmap', bitmap: await createImageBitmap(image) };
  } catch (cause) {
    throw new NarvlError('image-unreadable', `${kindOf(image)} holds no picture`, { cause });
  }
}

/** What is handed over to the worker instead of copied. */
export function transferables(images: readonly WireImage[]): Transferable[] {
  return images.flatMap((image) => (image.kind === 'bitmap' ? [image.bitmap] : []));
}

function kindOf(value: unknown): string {
  if (value === null || typeof value !== 'object') return String(value);
  return Object.prototype.toString.call(value).slice(8, -1);
}
