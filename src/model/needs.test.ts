import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseManifest } from './manifest.ts';
import { checkMemory, needsOf, unfit } from './needs.ts';

const text = readFileSync(
  new URL('../../public/models/narvl-photo/manifest.json', import.meta.url),
  'utf8',
);
const manifest = parseManifest(text);
const files = Object.values(manifest.files).reduce((sum, { bytes }) => sum + bytes, 0);

test('the files and the weights are counted, these by their bits', () => {
  const [wide, half, narrow] = ([32, 16, 8] as const).map((bits) => needsOf(manifest, bits).memory);
  const [a = 0, b = 0, c = 0] = [wide, half, narrow].map((bytes = 0) => bytes - files);
  expect(c).toBeGreaterThan(0);
  // Biases and norms are as wide as ever.
  expect(a / b).toBeGreaterThan(1.9);
  expect(a / b).toBeLessThan(2);
  expect(b / c).toBeGreaterThan(1.8);
});

test('the largest buffer is the widest product or the keys and values of an image', () => {
  const { width, vocabulary, memory, layers } = manifest.decoder;
  const deaf = { ...manifest, network: undefined };
  expect(needsOf(deaf, 32).largest).toBe(width * Math.ceil(vocabulary / 4) * 4 * 4);
  const long = { ...manifest, decoder: { ...manifest.decoder, memory: 1_000_000 } };
  expect(needsOf(long, 32).largest).toBe(1_000_000 * 2 * width * layers * 4);
  expect(memory).toBeLessThan(1_000_000);
  const network = manifest.network && {
    ...manifest.network,
    fusion: { ...manifest.network.fusion, words: 4096 },
  };
  expect(needsOf({ ...manifest, network }, 16).largest).toBe(4096 * vocabulary * 2);
  const mapped = network && { ...network, fusion: { ...network.fusion, places: 2560 } };
  expect(needsOf({ ...manifest, network: mapped }, 16).largest).toBe(2560 * vocabulary * 4);
});

test('a model that does not fit is refused with the numbers', () => {
  const needs = { memory: 2000, largest: 900 };
  expect(() => checkMemory(needs, 2000)).not.toThrow();
  expect(() => checkMemory(needs, 1999)).toThrow(
    expect.objectContaining({
      code: 'out-of-memory',
      message:
        'Expected a model that needs at most 1999 bytes of memory, got one that needs 2000 or more',
    }),
  );
  const limits = { maxBufferSize: 1000, maxStorageBufferBindingSize: 900 };
  expect(unfit(needs, limits)).toBeUndefined();
  expect(unfit(needs, { ...limits, maxStorageBufferBindingSize: 899 })).toBe(
    'The model needs a buffer of 900 bytes, and this GPU takes at most 899',
  );
  expect(unfit(needs, { ...limits, maxBufferSize: 128 })).toMatch(/at most 128$/);
});

test('the shipped model fits what an iPhone gives: 256 MB, and the least that any WebGPU binds', () => {
  const needs = needsOf(manifest, 32);
  expect(() => checkMemory(needs, 256 << 20)).not.toThrow();
  const least = { maxBufferSize: 256 << 20, maxStorageBufferBindingSize: 128 << 20 };
  expect(unfit(needs, least)).toBeUndefined();
});
