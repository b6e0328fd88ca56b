/** What an `<img>` shows: waiting for it, hearing of another, and asking about it. */
import { type ImageSource, NarvlError } from '../index.ts';
import { abortedError } from './aborted.ts';

/** An SVG that says no size is drawn at the size that it has in the page, or at this. */
const DRAWN_SIDE = 512;

/** Settles once the picture is there. @throws NarvlError `image-unreadable` or `aborted`. */
export async function whenLoaded(
  image: HTMLImageElement,
  signal: AbortSignal | undefined,
): Promise<void> {
  while (!image.complete || !addressOf(image)) await nextLoad(image, signal);
  if (image.naturalWidth > 0) return;
  try {
    await image.decode(); // An SVG without a size has no width either.
  } catch (cause) {
    throw new NarvlError('image-unreadable', 'The browser could not load the picture', { cause });
  }
}

/** The address that the browser chose among `src`, `srcset` and `<source>`; empty if there is none. */
function addressOf(image: HTMLImageElement): string {
  return image.currentSrc || image.src;
}

/** Whether the browser does not load the picture before it comes near: it would be waited for in vain. */
export function isDeferred(image: HTMLImageElement): boolean {
  return image.loading === 'lazy' && !image.complete && addressOf(image) !== '';
}

/** The next time that a picture arrives, or does not. */
function nextLoad(image: HTMLImageElement, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const settled = new AbortController();
    const once = { once: true, signal: settled.signal };
    const finish = (settle: () => void) => () => {
      settled.abort();
      settle();
    };
    image.addEventListener('load', finish(resolve), once);
    image.addEventListener('error', finish(resolve), once);
    if (!signal) return;
    const aborted = finish(() => reject(abortedError(signal)));
    if (signal.aborted) aborted();
    else signal.addEventListener('abort', aborted, once);
  });
}

/**
 * Ask about what the image shows: of its pixels, drawn if it is an SVG without a size, and of its file if
 * it has not been loaded or its pixels are another site's, whose server may let the page have them.
 * @throws what `ask` throws
 */
export async function askAbout<T>(
  image: HTMLImageElement,
  ask: (source: ImageSource) => Promise<T>,
): Promise<T> {
  if (!image.complete) return ask(addressOf(image));
  try {
    return await ask(image);
  } catch (error) {
    if (!(error instanceof NarvlError) || error.code !== 'image-unreadable') throw error;
    const { cause } = error;
    if (cause instanceof DOMException && cause.name === 'InvalidStateError') {
      return askDrawn(image, ask);
    }
    try {
      return await ask(addressOf(image));
    } catch {
      throw error; // The first one says what the page's author can do.
    }
  }
}

async function askDrawn<T>(
  image: HTMLImageElement,
  ask: (source: ImageSource) => Promise<T>,
): Promise<T> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(image, {
      resizeWidth: image.width || DRAWN_SIDE,
      resizeHeight: image.height || DRAWN_SIDE,
    });
  } catch (cause) {
    throw new NarvlError('image-unreadable', 'The picture has no size and cannot be drawn', {
      cause,
    });
  }
  try {
    return await ask(bitmap);
  } finally {
    bitmap.close();
  }
}

/** What happened to a picture that is watched. */
export interface Change {
  /** Another picture is shown, or will be: by `src`, `srcset` or a `<source>`. */
  readonly source: boolean;
  /** Its `alt` was written. */
  readonly alt: boolean;
  /** Elements came or went, so that another `<img>` may be meant. */
  readonly children: boolean;
}

/** A watch that is kept. */
export interface Watch {
  end(): void;
  /** Not to hear of what was changed right before. */
  forget(): void;
}

const SOURCES: ReadonlySet<string | null> = new Set(['src', 'srcset', 'media', 'type']);

/**
 * Watch whatever in `root` decides on what `imageOf()` shows.
 *
 * That the browser takes another file of the same `srcset` when its window grows is not another picture.
 */
export function watchPicture(
  root: Node,
  imageOf: () => HTMLImageElement | undefined,
  onChange: (change: Change) => void,
): Watch {
  const observer = new MutationObserver((records) => {
    const image = imageOf();
    const own = records.filter(({ target }) => isOf(image, target));
    const names = own.map(({ attributeName }) => attributeName);
    onChange({
      source: own.some(({ target, attributeName }) =>
        // A `<source>` that comes or goes counts like one that changes.
        attributeName === null ? target === image?.closest('picture') : SOURCES.has(attributeName),
      ),
      alt: names.includes('alt'),
      children: records.some(({ type }) => type === 'childList'),
    });
  });
  observer.observe(root, {
    subtree: true,
    childList: true,
    attributes: true,
    attributeFilter: ['src', 'srcset', 'media', 'type', 'alt'],
  });
  return { end: () => observer.disconnect(), forget: () => observer.takeRecords() };
}

/** Whether a change of `target` is one of the image, of its `<picture>`, or of a `<source>` in that. */
function isOf(image: HTMLImageElement | undefined, target: Node): boolean {
  if (!image) return false;
  const picture = image.closest('picture');
  if (target === image || target === picture) return true;
  return (
    target instanceof Element && target.localName === 'source' && target.parentElement === picture
  );
}
