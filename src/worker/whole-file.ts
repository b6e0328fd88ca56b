/**
 * Whether an image file is there to its end.
 *
 * Browsers paint what has arrived and grey the rest, without an error; a caption of half a photo
 * would be a guess. Only the containers' structure is walked, nothing is decoded.
 */

/** True unless `bytes`, of the format with extension `ext`, ends before its own structure says. */
export function isWhole(bytes: Uint8Array, ext: string): boolean {
  switch (ext) {
    case 'jpg':
      return jpegEnds(bytes);
    case 'png':
    case 'apng':
      return pngEnds(bytes);
    case 'webp':
      return riffEnds(bytes);
    case 'gif':
      return gifEnds(bytes);
    default:
      return true; // AVIF: decoders do fail on missing bytes.
  }
}

/** Walks the segments, and the coded data after each start of scan, to the end-of-image marker. */
function jpegEnds(bytes: Uint8Array): boolean {
  let at = 2;
  while (at + 1 < bytes.length) {
    if (bytes[at] !== 0xff) {
      at++; // coded data, which has stuffed zeros after 0xff
      continue;
    }
    const marker = bytes[at + 1] ?? 0;
    if (marker === 0xd9) return true;
    const alone =
      marker === 0x00 || marker === 0x01 || marker === 0xff || (marker >= 0xd0 && marker <= 0xd8);
    if (alone) {
      at += marker === 0xff ? 1 : 2;
      continue;
    }
    at += 2 + (((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0));
  }
  return false;
}

/** Walks the chunks to IEND. */
function pngEnds(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const IEND = 0x49454e44;
  for (let at = 8; at + 12 <= bytes.length; ) {
    const next = at + 12 + view.getUint32(at);
    if (view.getUint32(at + 4) === IEND) return next <= bytes.length;
    at = next;
  }
  return false;
}

/** Walks the blocks to the trailer, or whatever stands in its place behind an image. */
function gifEnds(bytes: Uint8Array): boolean {
  const colours = (flags = 0) => (flags & 0x80 ? 6 << (flags & 7) : 0);
  let at = 13 + colours(bytes[10]);
  for (let images = 0; ; ) {
    const block = bytes[at];
    if (block === 0x2c) {
      images++;
      at += 11 + colours(bytes[at + 9]);
    } else if (block === 0x21) {
      at += 2;
    } else {
      return block !== undefined && images > 0;
    }
    for (let size = bytes[at] ?? 0; size > 0; size = bytes[at] ?? 0) at += 1 + size;
    at++;
  }
}

/** A RIFF header tells how many bytes follow it. */
function riffEnds(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return bytes.length >= 12 && bytes.length >= 8 + view.getUint32(4, true);
}
