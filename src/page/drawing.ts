/**
 * SVG pictures: drawn by the page, since a worker has nothing that could.
 *
 * An image element runs none of a drawing's scripts and loads nothing that it names.
 */
import { NarvlError } from '../errors.ts';

/** Longer side of what is drawn; a drawing has no pixels of its own, and its own size may be an icon's. */
const SIDE = 1024;

/** Text beyond this is no drawing that anybody made. */
const MOST_BYTES = 16 << 20;

/** What may stand before the first tag: a byte order mark, spaces, comments, declarations. */
const FIRST_TAG =
  /^\uFEFF?(?:\s|<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!doctype\s[^>[]*(?:\[[\s\S]*?\]\s*)?>)*<(?:\w+:)?svg\b/i;

/** Whether a file is an SVG, by its first tag: what it is called counts for nothing. */
export async function isDrawing(file: Blob): Promise<boolean> {
  const start = await file
    .slice(0, 4096)
    .text()
    .catch(() => ''); // The worker says what is wrong with it.
  return FIRST_TAG.test(start);
}

/**
 * The drawing, at a size at which it can be recognised.
 * @throws NarvlError `unsupported-image` if the browser does not draw it, or lets nobody read what it drew.
 */
export async function drawDrawing(file: Blob): Promise<ImageBitmap> {
  if (file.size > MOST_BYTES) {
    throw new NarvlError(
      'image-too-large',
      `Expected an SVG of at most ${MOST_BYTES} bytes, got ${file.size}`,
    );
  }
  let url = '';
  try {
    url = URL.createObjectURL(new Blob([sized(await file.text())], { type: 'image/svg+xml' }));
    const image = new Image();
    image.src = url;
    await image.decode();
    const bitmap = await createImageBitmap(image);
    // Fails here for what the page may show and not read.
    return structuredClone(bitmap, { transfer: [bitmap] });
  } catch (cause) {
    throw new NarvlError(
      'unsupported-image',
      'Expected an SVG that the browser can draw, got one that it cannot: convert it to PNG',
      { cause },
    );
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** The drawing's text with a width and a height, without which not every browser draws it. */
function sized(text: string): string {
  const drawing = new DOMParser().parseFromString(text, 'image/svg+xml');
  const root = drawing.documentElement;
  if (drawing.querySelector('parsererror')) throw new Error('expected XML without errors');
  const [, , boxWidth = 0, boxHeight = 0] = (root.getAttribute('viewBox') ?? '')
    .trim()
    .split(/[\s,]+/)
    .map(Number);
  const length = (name: string) => {
    const value = root.getAttribute(name) ?? '';
    return value.endsWith('%') ? Number.NaN : Number.parseFloat(value);
  };
  const width = length('width') || boxWidth || 1;
  const height = length('height') || boxHeight || width;
  const scale = SIDE / Math.max(width, height);
  if (!root.hasAttribute('viewBox')) root.setAttribute('viewBox', `0 0 ${width} ${height}`);
  root.setAttribute('width', String(Math.max(1, Math.round(width * scale))));
  root.setAttribute('height', String(Math.max(1, Math.round(height * scale))));
  return new XMLSerializer().serializeToString(drawing);
}
