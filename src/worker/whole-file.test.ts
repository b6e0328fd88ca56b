/** Containers cut at every byte: whole only when whole. */
import { describe, expect, it } from 'vitest';
import { isWhole } from './whole-file.ts';

const ascii = (text: string) => [...text].map((char) => char.charCodeAt(0));
const big = (value: number) => [value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255];
const chunk = (type: string, data: number[]) => [
  ...big(data.length),
  ...ascii(type),
  ...data,
  0,
  0,
  0,
  0,
];

/** The smallest files that have each container's structure; their pixels do not matter here. */
const files: Record<string, number[]> = {
  // A thumbnail's end marker inside APP1, stuffed zeros and a restart marker in the coded data.
  jpg: [
    ...[0xff, 0xd8, 0xff, 0xe1, 0, 6, 0xff, 0xd9, 1, 2],
    ...[0xff, 0xda, 0, 4, 0, 0, 7, 0xff, 0x00, 8, 0xff, 0xd0, 9],
    ...[0xff, 0xd9],
  ],
  png: [
    ...[0x89, ...ascii('PNG'), 13, 10, 26, 10],
    ...chunk('IHDR', new Array<number>(13).fill(1)),
    ...chunk('IDAT', [1, 2, 3]),
    ...chunk('IEND', []),
  ],
  webp: [...ascii('RIFF'), 12, 0, 0, 0, ...ascii('WEBPVP8 '), 0, 0, 0, 0],
  // A table of 4 colours, an extension, an image with a table of its own, trailers' bytes in its data.
  gif: [
    ...[...ascii('GIF89a'), 1, 0, 1, 0, 0x81, 0, 0, ...new Array<number>(12).fill(0x3b)],
    ...[0x21, 0xf9, 4, 0, 0x3b, 0, 0, 0],
    ...[0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0x80, 1, 2, 3, 4, 5, 6, 2, 3, 0x3b, 0x3b, 0, 1, 0x3b, 0],
    0x3b,
  ],
};

describe.each(Object.entries(files))('a %s', (ext, whole) => {
  it('is whole with all its bytes', () => {
    expect(isWhole(Uint8Array.from(whole), ext)).toBe(true);
  });

  it('is whole with bytes behind its end', () => {
    expect(isWhole(Uint8Array.from([...whole, 0, 0, 0]), ext)).toBe(true);
  });

  it('is not whole when cut anywhere', () => {
    for (let length = 0; length < whole.length; length++) {
      expect(isWhole(Uint8Array.from(whole.slice(0, length)), ext), `${length} bytes`).toBe(false);
    }
  });
});
