/** Every file that a browser shows comes to its pixels; every other to an error that says what to do. */
import { describe, expect, it } from 'vitest';
import { NarvlError } from '../../src/errors.ts';
import type { RgbaPixels } from '../../src/model/image.ts';
import { Picture } from '../../src/page/image-source.ts';
import type { PixelLimits } from '../../src/protocol.ts';
import { readPixels } from '../../src/worker/pixels.ts';
import { avif, blackPng, bmp, gif, ico, jpeg, picture } from './images.ts';

const WIDTH = 160;
const HEIGHT = 120;
const canvas = () => picture(WIDTH, HEIGHT, 3);

const read = async (file: Blob, limits?: PixelLimits) =>
  (await readPixels(await new Picture(file).wire(), limits)).pixels;
const refusal = (file: Blob) => read(file).catch((error: unknown) => error);

/** Mean absolute difference of the colours, 0…255. */
function distance(a: RgbaPixels, b: RgbaPixels): number {
  expect([a.width, a.height]).toEqual([b.width, b.height]);
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) sum += Math.abs((a.data[i] ?? 0) - (b.data[i] ?? 0));
  return sum / a.data.length;
}

const control = async () => read(await canvas().convertToBlob());

/** The mean colour, and how far from it pixels are, in luma. */
function look({ data }: RgbaPixels): { mean: number; deviation: number } {
  const luma = Array.from({ length: data.length / 4 }, (_, i) => data[i * 4 + 1] ?? 0);
  const mean = luma.reduce((sum, value) => sum + value, 0) / luma.length;
  const squares = luma.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / luma.length) };
}

describe('a whole file', () => {
  it.each([
    ['JPEG', () => jpeg(WIDTH, HEIGHT, 3), 8],
    ['WebP', () => canvas().convertToBlob({ type: 'image/webp', quality: 0.9 }), 8],
    ['BMP', async () => bmp(canvas()), 1],
    ['ICO', () => ico(canvas()), 0],
    ['GIF', async () => gif([canvas()]), 20],
  ] as const)('is read: %s', async (_, make, most) => {
    expect(distance(await read(await make()), await control())).toBeLessThanOrEqual(most);
  });

  it.each(['avif', 'mif1', 'miaf'])('is read: AVIF that calls itself %s first', async (brand) => {
    expect(distance(await read(avif(brand)), await read(avif()))).toBe(0);
  });

  it('is read whatever it is called', async () => {
    const file = new File([await jpeg(WIDTH, HEIGHT, 3)], 'x.png', { type: 'image/png' });
    expect(distance(await read(file), await control())).toBeLessThan(8);
  });
});

describe('a file without its end', () => {
  const cut = (file: Blob, bytes: number) => file.slice(0, file.size - bytes);
  const joined = (...parts: BlobPart[]) => new Blob(parts);

  it.each([
    ['JPEG without its marker', async () => cut(await jpeg(WIDTH, HEIGHT, 3), 2)],
    ['JPEG with half of its marker', async () => cut(await jpeg(WIDTH, HEIGHT, 3), 1)],
    [
      "JPEG with a maker's words in its place",
      async () => joined(cut(await jpeg(WIDTH, HEIGHT, 3), 2), 'SEFT'.repeat(5000)),
    ],
    ['PNG without IEND', async () => cut(await canvas().convertToBlob(), 12)],
    ['PNG with half of IEND', async () => cut(await canvas().convertToBlob(), 3)],
    ['PNG cut in its last checksum', async () => cut(await canvas().convertToBlob(), 14)],
    ['GIF without its trailer', async () => cut(gif([canvas()]), 1)],
    ['GIF without the end of its blocks', async () => cut(gif([canvas()]), 2)],
    [
      'GIF that breaks off in its third frame',
      async () => cut(gif([3, 4, 5].map((seed) => picture(WIDTH, HEIGHT, seed))), 999),
    ],
  ] as const)('is read: %s', async (_, make) => {
    expect(distance(await read(await make()), await control())).toBeLessThan(20);
  });

  it.each([
    ['JPEG', async () => cut(await jpeg(WIDTH, HEIGHT, 3), 40)],
    [
      'JPEG by half',
      async () => {
        const file = await jpeg(WIDTH, HEIGHT, 3);
        return cut(file, file.size >> 1);
      },
    ],
    ['PNG', async () => cut(await canvas().convertToBlob(), 60)],
    ['GIF', async () => cut(gif([canvas()]), 300)],
    ['WebP', async () => cut(await canvas().convertToBlob({ type: 'image/webp' }), 40)],
    ['BMP', async () => cut(bmp(canvas()), 1)],
    ['ICO', async () => cut(await ico(canvas()), 1)],
  ] as const)('is refused where rows are missing: %s', async (_, make) => {
    expect(await refusal(await make())).toMatchObject({
      code: 'image-unreadable',
      message: expect.stringMatching(/part of the picture is missing/),
    });
  });
});

describe('an SVG', () => {
  const svg = (attributes: string) =>
    `<svg xmlns="http://www.w3.org/2000/svg" ${attributes}><rect width="200" height="100" fill="#36c"/></svg>`;

  it.each([
    ['width="200" height="100"', 1024, 512],
    ['viewBox="0 0 200 100"', 1024, 512],
    ['width="16" height="8" viewBox="0 0 200 100"', 1024, 512],
    ['width="100%" height="100%" viewBox="0 0 200 100"', 1024, 512],
  ])('with %s is drawn at a size that shows something', async (attributes, width, height) => {
    for (const file of [
      svg(attributes),
      `<?xml version="1.0"?>\n<!-- a logo -->\n${svg(attributes)}`,
    ]) {
      const drawn = await read(new Blob([file], { type: 'image/svg+xml' }));
      expect([drawn.width, drawn.height]).toEqual([width, height]);
      expect([...drawn.data.slice(0, 4)]).toEqual([0x33, 0x66, 0xcc, 255]);
    }
  });

  it('that is none says so', async () => {
    expect(await refusal(new Blob(['<svg><'], { type: 'image/svg+xml' }))).toMatchObject({
      code: 'unsupported-image',
      message: expect.stringMatching(/SVG/),
    });
  });
});

describe('what no browser shows', () => {
  it.each([
    ['a web page', '<!DOCTYPE html>\n<html><body>404</body></html>', /web page.*error/],
    ['HEIC', '\0\0\0\x18ftypheic\0\0\0\0mif1heic', /torn header|HEIC.*convert it to JPEG/],
    ['TIFF', 'II*\0\x08\0\0\0', /TIFF.*convert it to JPEG/],
    ['PDF', '%PDF-1.7\n', /application\/pdf/],
    ['text', 'not a picture', /no known type/],
  ])('is refused with what it is: %s', async (_, start, message) => {
    const bytes = Uint8Array.from(start.padEnd(64, '\0'), (char) => char.charCodeAt(0));
    const error = await refusal(new Blob([bytes], { type: 'image/jpeg' }));
    expect(error).toBeInstanceOf(NarvlError);
    expect(error).toMatchObject({ message: expect.stringMatching(message) });
  });
});

describe('what would show nothing', () => {
  it('a white logo on nothing gets a ground that it differs from', async () => {
    const logo = new OffscreenCanvas(200, 200);
    const context = logo.getContext('2d');
    if (!context) throw new Error('no canvas');
    context.fillStyle = '#fff';
    context.arc(100, 100, 60, 0, 7);
    context.fill();
    const { mean, deviation } = look(await read(await logo.convertToBlob()));
    expect(mean).toBeLessThan(128);
    expect(deviation).toBeGreaterThan(80);
  });

  it('a GIF that fades in is read where it has faded in', async () => {
    const frames = [0, 0.1, 0.5, 1].map((alpha) => {
      const frame = new OffscreenCanvas(WIDTH, HEIGHT);
      const context = frame.getContext('2d');
      if (!context) throw new Error('no canvas');
      context.fillStyle = '#000';
      context.fillRect(0, 0, WIDTH, HEIGHT);
      context.globalAlpha = alpha;
      context.drawImage(canvas(), 0, 0);
      return frame;
    });
    expect(distance(await read(gif(frames)), await control())).toBeLessThan(20);
    // One that never shows anything stays what it is.
    expect(look(await read(gif(frames.slice(0, 1)))).mean).toBe(0);
  });
});

describe('the limit of pixels', () => {
  it('is what the caller says, and by default lets the photo of a phone pass', async () => {
    const file = await canvas().convertToBlob();
    const most = WIDTH * HEIGHT;
    await expect(read(file, { mostPixels: most })).resolves.toHaveProperty('width', WIDTH);
    await expect(read(file, { mostPixels: most - 1 })).rejects.toMatchObject({
      code: 'image-too-large',
    });
    await expect(read(await blackPng(11_000))).rejects.toMatchObject({ code: 'image-too-large' });
    // The header of 200 megapixels before the data of a few: what a decoder greys is not asked for here.
    const head = new Uint8Array(await (await jpeg(64, 64, 1)).arrayBuffer());
    const frame = head.findIndex((byte, i) => byte === 0xff && head[i + 1] === 0xc0);
    const view = new DataView(head.buffer);
    view.setUint16(frame + 5, 12_240);
    view.setUint16(frame + 7, 16_320);
    const scaled = await read(new Blob([head]));
    expect(Math.max(scaled.width, scaled.height)).toBeLessThanOrEqual(2048);
    expect(scaled.width / scaled.height).toBeCloseTo(16_320 / 12_240, 2);
  });
});
