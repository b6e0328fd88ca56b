/** Pictures made on the spot, good and bad, so that the tests carry no photo. */

/** A canvas of soft random colours. */
export function picture(width: number, height: number, seed: number): OffscreenCanvas {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d');
  if (!context) throw new Error('no canvas');
  for (let i = 0; i < 24; i++) {
    const hue = (seed * 67 + i * 41) % 360;
    context.fillStyle = `hsl(${hue} 60% ${30 + ((seed + i * 7) % 50)}%)`;
    context.fillRect(
      (i % 6) * (width / 6),
      Math.floor(i / 6) * (height / 4),
      width / 6,
      height / 4,
    );
  }
  return canvas;
}

export function jpeg(width: number, height: number, seed: number): Promise<Blob> {
  return picture(width, height, seed).convertToBlob({ type: 'image/jpeg', quality: 0.9 });
}

/** A canvas that was drawn on with a picture which the page may show and not read. */
export async function foreignCanvas(): Promise<HTMLCanvasElement> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8">
    <foreignObject width="8" height="8"><p xmlns="http://www.w3.org/1999/xhtml">a</p></foreignObject>
  </svg>`;
  const image = new Image();
  const url = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }));
  image.src = url;
  await image.decode();
  URL.revokeObjectURL(url);
  const canvas = document.createElement('canvas');
  canvas.getContext('2d')?.drawImage(image, 0, 0);
  return canvas;
}

/** A PNG of `side` × `side` black pixels, one bit each: a small file, whatever the side. */
export async function blackPng(side: number): Promise<Blob> {
  const line = new Uint8Array(Math.ceil(side / 8) + 1);
  const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      for (let y = 0; y < side; y++) controller.enqueue(line);
      controller.close();
    },
  });
  const zlib = source.pipeThrough(new CompressionStream('deflate'));
  const data = new Uint8Array(await new Response(zlib).arrayBuffer());
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, side);
  header.setUint32(4, side);
  header.setUint8(8, 1);
  return new Blob([
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10),
    pngChunk('IHDR', new Uint8Array(header.buffer)),
    pngChunk('IDAT', data),
    pngChunk('IEND', new Uint8Array()),
  ]);
}

function pngChunk(type: string, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const chunk = new Uint8Array(12 + data.length);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, data.length);
  chunk.set(new TextEncoder().encode(type), 4);
  chunk.set(data, 8);
  view.setUint32(8 + data.length, crc32(chunk.subarray(4, 8 + data.length)));
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

/** A BMP of 24 bits, rows from the bottom. */
export function bmp(canvas: OffscreenCanvas): Blob {
  const { width, height } = canvas;
  const { data } = pixelsOf(canvas);
  const row = Math.ceil((width * 3) / 4) * 4;
  const view = new DataView(new ArrayBuffer(54 + row * height));
  view.setUint16(0, 0x424d);
  view.setUint32(2, view.byteLength, true);
  view.setUint32(10, 54, true);
  view.setUint32(14, 40, true);
  view.setInt32(18, width, true);
  view.setInt32(22, height, true);
  view.setUint16(26, 1, true);
  view.setUint16(28, 24, true);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) {
        const at = 54 + (height - 1 - y) * row + x * 3 + 2 - c;
        view.setUint8(at, data[(y * width + x) * 4 + c] ?? 0);
      }
    }
  }
  return new Blob([view.buffer], { type: 'image/bmp' });
}

/** An ICO with a PNG in it. */
export async function ico(canvas: OffscreenCanvas): Promise<Blob> {
  const png = await canvas.convertToBlob();
  const header = new DataView(new ArrayBuffer(22));
  header.setUint16(2, 1, true);
  header.setUint16(4, 1, true);
  header.setUint8(6, canvas.width & 255);
  header.setUint8(7, canvas.height & 255);
  header.setUint16(10, 1, true);
  header.setUint16(12, 32, true);
  header.setUint32(14, png.size, true);
  header.setUint32(18, 22, true);
  return new Blob([header.buffer, png], { type: 'image/x-icon' });
}

/**
 * A GIF of frames of one size, in a palette of 6 × 6 × 6 colours. Its LZW codes are of 9 bits and spell
 * a pixel each: the table is cleared before they would grow.
 */
export function gif(frames: readonly OffscreenCanvas[]): Blob {
  const [{ width, height } = { width: 1, height: 1 }] = frames;
  const u16 = (value: number) => [value & 255, value >> 8];
  const palette = Array.from({ length: 256 }, (_, i) =>
    i < 216 ? [Math.floor(i / 36) * 51, (Math.floor(i / 6) % 6) * 51, (i % 6) * 51] : [0, 0, 0],
  );
  const bytes = [...new TextEncoder().encode('GIF89a'), ...u16(width), ...u16(height), 0xf7, 0, 0];
  bytes.push(...palette.flat());
  for (const frame of frames) {
    bytes.push(0x21, 0xf9, 4, 0, 10, 0, 0, 0);
    bytes.push(0x2c, 0, 0, 0, 0, ...u16(width), ...u16(height), 0, 8);
    const { data } = pixelsOf(frame);
    const coded: number[] = [];
    let held = 0;
    let bits = 0;
    const write = (code: number) => {
      bits |= code << held;
      for (held += 9; held >= 8; held -= 8) {
        coded.push(bits & 255);
        bits >>>= 8;
      }
    };
    for (let i = 0; i < width * height; i++) {
      if (i % 250 === 0) write(256);
      const level = (c: number) => Math.round((data[i * 4 + c] ?? 0) / 51);
      write(level(0) * 36 + level(1) * 6 + level(2));
    }
    write(257);
    if (held > 0) coded.push(bits & 255);
    for (let at = 0; at < coded.length; at += 255) {
      const block = coded.slice(at, at + 255);
      bytes.push(block.length);
      for (const byte of block) bytes.push(byte);
    }
    bytes.push(0);
  }
  bytes.push(0x3b);
  return new Blob([Uint8Array.from(bytes)], { type: 'image/gif' });
}

/** 16 × 16 pixels, which no canvas gives: written by libavif of a grey-green photo. */
export function avif(brand = 'avif'): Blob {
  const text = atob(AVIF);
  const bytes = Uint8Array.from(text, (char) => char.charCodeAt(0));
  bytes.set(new TextEncoder().encode(brand), 8);
  return new Blob([bytes], { type: 'image/avif' });
}

const AVIF =
  'AAAAIGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZk1BMUIAAADrbWV0YQAAAAAAAAAhaGRscgAAAAAAAAAAcGljdAAAAAAAAAAAAAAA' +
  'AAAAAAAOcGl0bQAAAAAAAQAAAB5pbG9jAAAAAEQAAAEAAQAAAAEAAAETAAAAYQAAAChpaW5mAAAAAAABAAAAGmluZmUCAAAAAAEA' +
  'AGF2MDFDb2xvcgAAAABqaXBycAAAAEtpcGNvAAAAFGlzcGUAAAAAAAAAEAAAABAAAAAQcGl4aQAAAAADCAgIAAAADGF2MUOBAAwA' +
  'AAAAE2NvbHJuY2x4AAEADQAGgAAAABdpcG1hAAAAAAAAAAEAAQQBAoMEAAAAaW1kYXQSAAoJGAz/2iAhoNCAMlIax4eF4cwwwwKF' +
  'QYDJYnkOjg6INYMHPSTtxrsUE/zUfTsZFrE88ntiUxY4++ELCElyghhqudFt1orOW2S53n1MrXKcZbrU2wz227djKry6+DfA';

function pixelsOf(canvas: OffscreenCanvas): ImageData {
  const pixels = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height);
  if (!pixels) throw new Error('no pixels');
  return pixels;
}
