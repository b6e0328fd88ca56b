/**
 * Whether the picture of an image file is all there, and the end that it may lack.
 *
 * Browsers paint what has arrived and grey the rest, without an error; a caption of half a photo
 * would be a guess. Yet many files whose pixels are all there lack their last bytes, or have others
 * in their place, and some browsers' decoders refuse those. So the container is walked: what has all
 * its pixels gets its end, what lacks some is refused. Of an animation the first frame counts.
 */
import { type ImageFormat, largestIcon } from './image-type.ts';

/** A file that a decoder takes. */
export interface WholeFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /**
   * The same with other data behind its own. Where the pixels are all there a decoder does not come to
   * read that, so that all decode alike; where some are missing it does. Not there if nothing is in doubt.
   */
  readonly probes?: readonly Uint8Array<ArrayBuffer>[];
}

/** The file with its end; undefined if part of the picture is missing. */
export async function wholeFile(
  bytes: Uint8Array<ArrayBuffer>,
  format: ImageFormat,
): Promise<WholeFile | undefined> {
  switch (format) {
    case 'jpg':
      return wholeJpeg(bytes);
    case 'png':
    case 'apng':
      return wholePng(bytes);
    case 'webp':
      return wholeWebp(bytes);
    case 'gif':
      return wholeGif(bytes);
    case 'bmp':
      return bitmapEnds(bytes) ? { bytes } : undefined;
    case 'ico':
      return iconEnds(bytes) ? { bytes } : undefined;
    case 'avif':
    case 'heic':
      return { bytes }; // Decoders do fail on missing bytes.
  }
}

/**
 * A JPEG that ends in its coded data may have all of it: where it ends only a decoder knows. What is put
 * behind it tells.
 */
function wholeJpeg(bytes: Uint8Array<ArrayBuffer>): WholeFile | undefined {
  const end = jpegEnd(bytes);
  if (end === 'marked') return { bytes };
  if (end === 'in a header') return undefined;
  // Half a marker, or half a stuffed byte.
  const data = bytes.at(-1) === 0xff ? bytes.subarray(0, -1) : bytes;
  const marker = [0xff, 0xd9];
  // No byte of them is 0xff: whatever Huffman codes they spell, no two sets spell the same.
  const fillings = [37, 101].map((step) =>
    Uint8Array.from({ length: 256 }, (_, i) => (i * i * step + i * 29) % 255),
  );
  return {
    bytes: join(data, marker),
    probes: fillings.map((filling) => join(data, filling, marker)),
  };
}

/** Walks the segments, and the coded data after each start of scan. */
function jpegEnd(bytes: Uint8Array): 'marked' | 'in coded data' | 'in a header' {
  let at = 2;
  let scanned = false;
  while (at + 1 < bytes.length) {
    if (bytes[at] !== 0xff) {
      at++; // coded data, which has stuffed zeros after 0xff
      continue;
    }
    const marker = bytes[at + 1] ?? 0;
    if (marker === 0xd9) return 'marked';
    const alone =
      marker === 0x00 || marker === 0x01 || marker === 0xff || (marker >= 0xd0 && marker <= 0xd8);
    if (alone) {
      at += marker === 0xff ? 1 : 2;
      continue;
    }
    if (at + 3 >= bytes.length) break;
    if (marker === 0xda) scanned = true;
    at += 2 + (((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0));
  }
  // A segment that is cut goes beyond the end, or begins before it.
  const cut = at > bytes.length || at + 1 < bytes.length;
  return scanned && !cut ? 'in coded data' : 'in a header';
}

const IHDR = 0x49484452;
const IDAT = 0x49444154;
const IEND = 0x49454e44;

/** Walks the chunks to IEND; without it, the pixels are all there if their zlib stream has its end. */
async function wholePng(bytes: Uint8Array<ArrayBuffer>): Promise<WholeFile | undefined> {
  const view = viewOf(bytes);
  const data: Uint8Array<ArrayBuffer>[] = [];
  const kept: Uint8Array<ArrayBuffer>[] = [bytes.subarray(0, 8)];
  let rows = 0;
  for (let at = 8; at + 8 <= bytes.length; ) {
    const length = view.getUint32(at);
    const type = view.getUint32(at + 4);
    const next = at + 12 + length;
    if (type === IEND && next <= bytes.length) return { bytes };
    if (type === IHDR && next <= bytes.length) rows = view.getUint32(at + 12);
    const body = bytes.subarray(at + 8, at + 8 + length);
    if (type === IDAT) data.push(body);
    if (next <= bytes.length) kept.push(bytes.subarray(at, next));
    else if (type === IDAT) kept.push(pngChunk(IDAT, body));
    at = next;
  }
  if (rows === 0 || !(await inflates(data))) return undefined;
  return { bytes: join(...kept, pngChunk(IEND, new Uint8Array())) };
}

/** Whether a zlib stream is whole, its checksum included. What it holds is let go piece by piece. */
async function inflates(parts: readonly Uint8Array<ArrayBuffer>[]): Promise<boolean> {
  if (parts.length === 0) return false;
  try {
    const inflated = new Blob([...parts]).stream().pipeThrough(new DecompressionStream('deflate'));
    for (const reader = inflated.getReader(); !(await reader.read()).done; );
    return true;
  } catch {
    return false;
  }
}

function pngChunk(type: number, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const chunk = new Uint8Array(12 + body.length);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, body.length);
  view.setUint32(4, type);
  chunk.set(body, 8);
  view.setUint32(8 + body.length, crc32(chunk.subarray(4, 8 + body.length)));
  return chunk;
}

/** PNG specification, annex D. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** Walks the blocks. Whatever is cut behind the first image is left out. */
function wholeGif(bytes: Uint8Array<ArrayBuffer>): WholeFile | undefined {
  const colours = (flags = 0) => (flags & 0x80 ? 6 << (flags & 7) : 0);
  /** Behind the last image that is whole. */
  let whole = 0;
  for (let at = 13 + colours(bytes[10]); ; ) {
    const block = bytes[at];
    if (block !== 0x2c && block !== 0x21) {
      if (block !== undefined && whole > 0) return { bytes }; // The trailer, or what stands for it.
      break;
    }
    const image = block === 0x2c ? at : undefined;
    at += image === undefined ? 2 : 11 + colours(bytes[at + 9]);
    const blocks = at;
    for (let size = bytes[at] ?? 0; size > 0; size = bytes[at] ?? 0) at += 1 + size;
    at++;
    if (image === undefined) continue;
    if (at <= bytes.length) whole = at;
    else if (whole === 0 && gifPixelsAreThere(bytes, image, blocks)) {
      return { bytes: join(bytes, new Uint8Array(at - bytes.length), [0x3b]) };
    } else break;
  }
  return whole > 0 ? { bytes: join(bytes.subarray(0, whole), [0x3b]) } : undefined;
}

/**
 * Whether the last image of a GIF, whose blocks are not closed, has all its pixels: counts what its LZW
 * codes stand for. GIF89a specification, appendix F.
 */
function gifPixelsAreThere(bytes: Uint8Array, image: number, blocks: number): boolean {
  if (blocks >= bytes.length) return false;
  const view = viewOf(bytes);
  const pixels = view.getUint16(image + 5, true) * view.getUint16(image + 7, true);
  const least = bytes[blocks - 1] ?? 0;
  const clear = 1 << least;
  const end = clear + 1;
  /** Pixels that each code behind `end` stands for. */
  let lengths: number[] = [];
  let width = least + 1;
  let last: number | undefined;
  let count = 0;
  let bits = 0;
  let held = 0;
  for (let at = blocks; at < bytes.length; at += 1 + (bytes[at] ?? 0)) {
    for (const byte of bytes.subarray(at + 1, at + 1 + (bytes[at] ?? 0))) {
      bits |= byte << held;
      held += 8;
      while (held >= width) {
        const code = bits & ((1 << width) - 1);
        bits >>>= width;
        held -= width;
        if (code === end) return count >= pixels;
        if (code === clear) {
          lengths = [];
          width = least + 1;
          last = undefined;
          continue;
        }
        const length: number = code < clear ? 1 : (lengths[code - end - 1] ?? (last ?? 0) + 1);
        count += length;
        if (last !== undefined && end + lengths.length < 4095) lengths.push(last + 1);
        if (end + 1 + lengths.length === 1 << width && width < 12) width++;
        last = length;
      }
    }
  }
  return count >= pixels;
}

/** Walks the chunks of a RIFF file, whose header tells how many bytes follow it. */
function wholeWebp(bytes: Uint8Array<ArrayBuffer>): WholeFile | undefined {
  if (bytes.length < 12) return undefined;
  const view = viewOf(bytes);
  if (bytes.length >= 8 + view.getUint32(4, true)) return { bytes };
  const pictures = ['VP8 ', 'VP8L', 'ANMF'];
  let whole = 12;
  let pictured = false;
  while (whole + 8 <= bytes.length) {
    const length = view.getUint32(whole + 4, true);
    // Chunks are even; the byte that fills one up says nothing.
    const next = Math.min(whole + 8 + length + (length & 1), bytes.length);
    if (next < whole + 8 + length) break;
    pictured ||= pictures.includes(String.fromCharCode(...bytes.subarray(whole, whole + 4)));
    whole = next;
  }
  if (!pictured) return undefined;
  const mended = join(bytes.subarray(0, whole), new Uint8Array(whole & 1));
  viewOf(mended).setUint32(4, mended.length - 8, true);
  return { bytes: mended };
}

/** Counts the rows of a BMP; those that are packed only a decoder can count, and it does fail. */
function bitmapEnds(bytes: Uint8Array): boolean {
  if (bytes.length < 34) return false;
  const view = viewOf(bytes);
  const old = view.getUint32(14, true) === 12;
  const width = old ? view.getUint16(18, true) : view.getInt32(18, true);
  const height = old ? view.getUint16(20, true) : Math.abs(view.getInt32(22, true));
  const bits = view.getUint16(old ? 24 : 28, true);
  const packing = old ? 0 : view.getUint32(30, true);
  if (packing !== 0 && packing !== 3 && packing !== 6) return true;
  const row = Math.ceil((width * bits) / 32) * 4;
  return view.getUint32(10, true) + row * height <= bytes.length;
}

function iconEnds(bytes: Uint8Array): boolean {
  const largest = largestIcon(bytes);
  return largest !== undefined && largest.offset + largest.length <= bytes.length;
}

function join(...parts: (Uint8Array | number[])[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
