/**
 * What an image file is and how many pixels it has, by its first bytes.
 *
 * What a file is called and what its sender says of it count for nothing: half of the pictures that
 * other libraries refuse are ones whose name lies.
 */
import { fileTypeFromBuffer } from 'file-type';
import { imageDimensionsFromData } from 'image-dimensions';
import { NarvlError } from '../errors.ts';

/** What browsers decode, and whose header tells its size. HEIC is Safari's alone. */
const FORMATS = ['jpg', 'png', 'apng', 'gif', 'webp', 'avif', 'bmp', 'ico', 'heic'] as const;

/** A format that is read here. */
export type ImageFormat = (typeof FORMATS)[number];

/** What a file is. */
export interface ImageType {
  readonly format: ImageFormat;
  readonly mime: string;
}

/** What to do with what no browser decodes, or not every one. */
const convert = 'convert it to JPEG or PNG';

/** @throws NarvlError `unsupported-image` that says what the file is and what to do about it. */
export async function readType(bytes: Uint8Array): Promise<ImageType> {
  if (bytes.length === 0) throw unsupported('an empty file');
  const text = textType(bytes);
  if (text) throw unsupported(text);
  if (brandsOf(bytes).some((brand) => brand === 'avif' || brand === 'avis')) {
    return { format: 'avif', mime: 'image/avif' };
  }
  const found = await fileTypeFromBuffer(bytes);
  if (!found) throw unsupported('bytes of no known type');
  const format = FORMATS.find((known) => known === found.ext);
  if (format) return { format, mime: found.mime };
  throw found.mime.startsWith('image/')
    ? unsupported(`${nameOf(found)}, which browsers do not read: ${convert}`)
    : unsupported(found.mime);
}

/** The error for a HEIC that this browser did not decode. */
export function heicUnread(cause: unknown): NarvlError {
  return unsupported(`HEIC, which of all browsers Safari alone reads: ${convert}`, cause);
}

/** Width and height as the header has them; undefined if it is torn. */
export function readSize(
  bytes: Uint8Array,
  format: ImageFormat,
): { width: number; height: number } | undefined {
  if (format === 'bmp') return bitmapSize(bytes);
  if (format === 'ico') return iconSize(bytes);
  return imageDimensionsFromData(bytes);
}

function unsupported(got: string, cause?: unknown): NarvlError {
  return new NarvlError(
    'unsupported-image',
    `Expected a JPEG, PNG, GIF, WebP, AVIF, BMP or ICO image, got ${got}`,
    { cause },
  );
}

function nameOf({ ext, mime }: { ext: string; mime: string }): string {
  return ext === 'tif' ? 'TIFF' : mime;
}

/** What text is taken for a picture: what servers send in place of one, and drawings. */
function textType(bytes: Uint8Array): string | undefined {
  const start = new TextDecoder().decode(bytes.subarray(0, 4096));
  const said = start.replace(/^\uFEFF?(?:\s|<!--[\s\S]*?-->)*/, '');
  if (/^<(?:!doctype\s+html|html|head|body)\b/i.test(said)) {
    return 'a web page: its server may have sent an error in place of the picture';
  }
  if (/^(?:<\?xml[\s\S]*?)?<(?:!doctype\s+)?svg\b/i.test(said)) {
    return `SVG, which a worker cannot draw: ${convert}`;
  }
  return undefined;
}

/** All brands of an ISO base media file, the major one first; a file may be of several kinds. */
function brandsOf(bytes: Uint8Array): string[] {
  const code = (at: number) => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (bytes.length < 16 || code(4) !== 'ftyp') return [];
  const end = Math.min(viewOf(bytes).getUint32(0), bytes.length, 1024);
  const brands = [code(8)];
  for (let at = 16; at + 4 <= end; at += 4) brands.push(code(at));
  return brands;
}

/** Of a BMP: its header is one of two kinds, and a height below zero counts rows from the top. */
function bitmapSize(bytes: Uint8Array): { width: number; height: number } | undefined {
  if (bytes.length < 26) return undefined;
  const view = viewOf(bytes);
  const old = view.getUint32(14, true) === 12;
  const width = old ? view.getUint16(18, true) : view.getInt32(18, true);
  const height = old ? view.getUint16(20, true) : Math.abs(view.getInt32(22, true));
  return width > 0 && height > 0 ? { width, height } : undefined;
}

/**
 * Of an ICO, its largest picture, which is the one that browsers show. Its directory has a byte for each
 * side, and 0 for 256; the picture's own header may say more.
 */
function iconSize(bytes: Uint8Array): { width: number; height: number } | undefined {
  const largest = largestIcon(bytes);
  if (!largest) return undefined;
  const { width, height, offset, length } = largest;
  const own = imageDimensionsFromData(bytes.subarray(offset, offset + length));
  if (own) return { width: own.width, height: own.height };
  const header = viewOf(bytes);
  if (offset + 12 > bytes.length) return { width, height };
  // A BMP without its file header; its height counts the mask too.
  return {
    width: Math.max(width, Math.abs(header.getInt32(offset + 4, true))),
    height: Math.max(height, Math.abs(header.getInt32(offset + 8, true)) >> 1),
  };
}

/** Where an ICO's largest picture lies. */
export function largestIcon(
  bytes: Uint8Array,
): { width: number; height: number; offset: number; length: number } | undefined {
  if (bytes.length < 6) return undefined;
  const view = viewOf(bytes);
  const count = view.getUint16(4, true);
  if (6 + 16 * count > bytes.length) return undefined;
  const entries = Array.from({ length: count }, (_, i) => {
    const at = 6 + 16 * i;
    return {
      width: view.getUint8(at) || 256,
      height: view.getUint8(at + 1) || 256,
      length: view.getUint32(at + 8, true),
      offset: view.getUint32(at + 12, true),
    };
  });
  return entries.sort((a, b) => b.width * b.height - a.width * a.height)[0];
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
