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
