/** Containers cut at every byte: read where the picture is all there, and with its end put there. */
import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { ImageFormat } from './image-type.ts';
import { wholeFile } from './whole-file.ts';

const ascii = (text: string) => [...text].map((char) => char.charCodeAt(0));
const big = (value: number) => [value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255];
const little = (value: number) => big(value).reverse();
/** PNG's, with no checksum: nothing here looks at that. */
const chunk = (type: string, data: number[]) => [
  ...big(data.length),
  ...ascii(type),
  ...data,
  ...[0, 0, 0, 0],
];
const riff = (...chunks: number[][]) => {
  const body = [...ascii('WEBP'), ...chunks.flat()];
  return [...ascii('RIFF'), ...little(body.length), ...body];
};
const riffChunk = (type: string, data: number[]) => [
  ...ascii(type),
  ...little(data.length),
  ...data,
];

/** A file with the least number of its bytes that have the whole picture. */
interface Sample {
  readonly format: ImageFormat;
  readonly bytes: number[];
  readonly enough: number;
}

const rows = [...deflateSync(Uint8Array.of(0, 1, 0, 2))];
const png = [
  ...[0x89, ...ascii('PNG'), 13, 10, 26, 10],
  ...chunk('IHDR', [...big(1), ...big(2), 8, 0, 0, 0, 0]),
  ...chunk('IDAT', rows.slice(0, 3)),
  ...chunk('IDAT', rows.slice(3)),
];
// LZW: clear and three pixels in three bits each, a pixel and the end in four, as the table has grown.
const gif = [
  // A table of 4 colours, and an extension with a trailer's byte in it.
  ...[...ascii('GIF89a'), 2, 0, 2, 0, 0x81, 0, 0, ...new Array<number>(12).fill(0x3b)],
  ...[0x21, 0xf9, 4, 0, 0x3b, 0, 0, 0],
  ...[0x2c, 0, 0, 0, 0, 2, 0, 2, 0, 0, 2, 3, 0x04, 0x00, 0x05, 0],
];
const gifFrame = [0x2c, 0, 0, 0, 0, 2, 0, 2, 0, 0, 2, 3, 0x04, 0x00, 0x05, 0];
const picture = riffChunk('VP8 ', [1, 2, 3, 4]);
const frame = riffChunk('ANMF', [1, 2]);
const bmp = [
  ...[...ascii('BM'), ...little(62), 0, 0, 0, 0, ...little(54)],
  ...[...little(40), ...little(1), ...little(-2), 1, 0, 24, 0, ...little(0)],
  ...new Array<number>(20).fill(0),
  ...[1, 2, 3, 0, 4, 5, 6, 0],
];
const ico = [
  ...[0, 0, 1, 0, 2, 0],
  ...[16, 16, 0, 0, 1, 0, 24, 0, ...little(2), ...little(38)],
  ...[32, 32, 0, 0, 1, 0, 24, 0, ...little(3), ...little(40)],
  ...[1, 2, 3, 4, 5],
];

const samples: [string, Sample][] = [
  ['PNG', { format: 'png', bytes: [...png, ...chunk('IEND', [])], enough: png.length - 4 }],
  ['GIF', { format: 'gif', bytes: [...gif, 0x3b], enough: gif.length - 2 }],
  [
    'GIF of two frames',
    { format: 'gif', bytes: [...gif, ...gifFrame, 0x3b], enough: gif.length - 2 },
  ],
  ['WebP', { format: 'webp', bytes: riff(picture), enough: riff(picture).length }],
  [
    'WebP with words behind the picture',
    {
      format: 'webp',
      bytes: riff(picture, riffChunk('XMP ', [1, 2])),
      enough: riff(picture).length,
    },
  ],
  ['WebP of two frames', { format: 'webp', bytes: riff(frame, frame), enough: riff(frame).length }],
  ['BMP', { format: 'bmp', bytes: bmp, enough: bmp.length }],
  ['ICO', { format: 'ico', bytes: ico, enough: ico.length }],
];

const read = (bytes: number[], format: ImageFormat) => wholeFile(Uint8Array.from(bytes), format);

describe.each(samples)('a %s', (_, { format, bytes, enough }) => {
  it('is taken as it is, also with bytes behind its end', async () => {
    for (const file of [bytes, [...bytes, 0, 0, 0]]) {
      expect((await read(file, format))?.bytes).toEqual(Uint8Array.from(file));
    }
  });

  it('is refused exactly where part of the picture is missing', async () => {
    for (let length = 0; length < bytes.length; length++) {
      const whole = await read(bytes.slice(0, length), format);
      expect(whole !== undefined, `${length} bytes`).toBe(length >= enough);
    }
  });

  it('gets an end that makes it whole', async () => {
    for (let length = enough; length < bytes.length; length++) {
      const mended = (await read(bytes.slice(0, length), format))?.bytes ?? new Uint8Array();
      expect((await wholeFile(mended, format))?.bytes, `${length} bytes`).toEqual(mended);
    }
  });
});

describe('a JPEG', () => {
  // A thumbnail's end marker inside APP1, stuffed zeros and a restart marker in the coded data.
  const header = [0xff, 0xd8, 0xff, 0xe1, 0, 6, 0xff, 0xd9, 1, 2, 0xff, 0xda, 0, 4, 0, 0];
  const data = [7, 0xff, 0x00, 8, 0xff, 0xd0, 9];
  const end = [0xff, 0xd9];

  it('is taken as it is, also with bytes behind its end', async () => {
    for (const file of [
      [...header, ...data, ...end],
      [...header, ...data, ...end, 0, 0],
    ]) {
      expect(await read(file, 'jpg')).toEqual({ bytes: Uint8Array.from(file) });
    }
  });

  it('that is cut in a header is refused', async () => {
    for (let length = 0; length < header.length; length++) {
      expect(await read(header.slice(0, length), 'jpg'), `${length} bytes`).toBeUndefined();
    }
  });

  it('that ends in its coded data gets its end, and probes that tell whether it had all', async () => {
    for (let length = 0; length <= data.length + 1; length++) {
      const cut = [...header, ...data, ...end].slice(0, header.length + length);
      const whole = await read(cut, 'jpg');
      const kept = cut.at(-1) === 0xff ? cut.slice(0, -1) : cut;
      expect(whole?.bytes, `${length} bytes`).toEqual(Uint8Array.from([...kept, ...end]));
      expect(whole?.probes).toHaveLength(2);
      for (const probe of whole?.probes ?? []) {
        expect([...probe.subarray(0, kept.length)]).toEqual(kept);
        expect([...probe.subarray(-2)]).toEqual(end);
        expect([...probe.subarray(kept.length, -2)]).not.toContain(0xff);
      }
    }
  });
});
