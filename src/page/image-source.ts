/** What holds a picture in a page, and how it goes to the worker. */

import { NarvlError } from '../errors.ts';
import type { WireImage } from '../protocol.ts';
import { throwIfAborted } from './abort.ts';
import { drawDrawing, isDrawing } from './drawing.ts';
import { kindOf } from './kind.ts';
import { absoluteUrl, isUrl } from './urls.ts';

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

/** A picture that a call was given, to be sent when it is its turn, and again if the worker is lost. */
export class Picture {
  readonly #image: ImageSource;
  /** What an image element showed when the call was made; it may be given another address since. */
  readonly #shown: string | undefined;

  constructor(image: ImageSource) {
    this.#image = image;
    this.#shown = shownBy(image);
  }

  /** Whether its pixels are only made when it is sent, so that it should not be sent before its turn. */
  get decodesLate(): boolean {
    return this.#shown !== undefined;
  }

  /** Whether it would be the same picture again: a canvas or video may show another by now. */
  get lasts(): boolean {
    return shownBy(this.#image) === this.#shown && !MOVING.includes(kindOf(this.#image));
  }

  /**
   * The picture as the worker takes it. The caller's own object stays usable. What is fetched is fetched
   * here, where a server that does not answer keeps nobody else waiting.
   *
   * @throws NarvlError `invalid-argument`, `image-unreadable`, `download-failed` or `aborted`, and for SVG
   * `unsupported-image` or `image-too-large`.
   */
  async wire(signal?: AbortSignal): Promise<WireImage> {
    if (shownBy(this.#image) === this.#shown) return toWire(this.#image, signal);
    throw new NarvlError(
      'image-unreadable',
      `Expected the image element to show ${this.#shown} until it was read, got another address`,
    );
  }
}

/** What may show something else a moment later. */
const MOVING: readonly string[] = [
  'HTMLCanvasElement',
  'OffscreenCanvas',
  'HTMLVideoElement',
  'VideoFrame',
];

/** What else of them a canvas draws. */
const DRAWABLE: ReadonlySet<string> = new Set(['ImageBitmap', 'HTMLImageElement', ...MOVING]);

/** The address of what an image element shows; undefined of anything else. */
function shownBy(image: ImageSource): string | undefined {
  return kindOf(image) === 'HTMLImageElement' ? (image as HTMLImageElement).currentSrc : undefined;
}

async function toWire(image: ImageSource, signal?: AbortSignal): Promise<WireImage> {
  if (isUrl(image)) {
    const { href } = absoluteUrl(image, 'Expected the URL of an image');
    return fileToWire(await download(href, signal));
  }
  if (isBlob(image)) return fileToWire(image);
  if (isImageData(image)) {
    // An empty buffer is one that was handed over to somebody else.
    if (image.data.length > 0) return { kind: 'pixels', pixels: image };
    throw new NarvlError('image-unreadable', 'ImageData: expected pixels, got a detached buffer');
  }
  if (!DRAWABLE.has(kindOf(image))) {
    throw new NarvlError(
      'invalid-argument',
      `Expected an image, canvas, video, Blob, ImageData or URL, got ${kindOf(image)}`,
    );
  }
  return { kind: 'bitmap', bitmap: await copyOf(image) };
}

async function fileToWire(file: Blob): Promise<WireImage> {
  if (await isDrawing(file)) return { kind: 'bitmap', bitmap: await drawDrawing(file) };
  return { kind: 'blob', blob: file };
}

function isBlob(image: ImageSource): image is Blob {
  return ['Blob', 'File'].includes(kindOf(image));
}

function isImageData(image: ImageSource): image is ImageData {
  return kindOf(image) === 'ImageData';
}

/** A copy that can be handed over. */
async function copyOf(image: ImageBitmapSource): Promise<ImageBitmap> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(image);
  } catch (cause) {
    throw new NarvlError('image-unreadable', `${kindOf(image)} holds no picture`, { cause });
  }
  try {
    // Costs nothing, and fails here, for this image alone, where postMessage would for all.
    return structuredClone(bitmap, { transfer: [bitmap] });
  } catch (cause) {
    bitmap.close();
    throw foreign(kindOf(image), cause);
  }
}

/** The error for pixels that the page may show but not read. */
function foreign(what: string, cause: unknown): NarvlError {
  return new NarvlError(
    'image-unreadable',
    `${what}: expected a picture of this origin or loaded with crossorigin="anonymous", got another origin's`,
    { cause },
  );
}

async function download(url: string, signal: AbortSignal | undefined): Promise<Blob> {
  try {
    const response = await fetch(url, signal ? { signal } : {});
    if (response.ok) return await response.blob();
    throw new NarvlError('download-failed', `${url}: expected status 200, got ${response.status}`);
  } catch (cause) {
    if (cause instanceof NarvlError) throw cause;
    throwIfAborted(signal);
    throw new NarvlError('download-failed', `${url}: no answer that this page may read`, { cause });
  }
}
