import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NarvlError } from '../errors.ts';
import { halfToNumber, parseSafetensors } from './safetensors.ts';

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: number[];
}

/** A file with this header and these bytes behind it. */
function file(header: unknown, data: Uint8Array = new Uint8Array()): ArrayBuffer {
  const json = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(data, 8 + json.length);
  return bytes.buffer;
}

/** Arbitrary well-formed tensors with their bytes. */
const tensors = fc.array(
  fc.record({
    name: fc.string({ minLength: 1 }).filter((name) => name !== '__metadata__'),
    dtype: fc.constantFrom('F32', 'F16'),
    shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }),
  }),
  { maxLength: 5 },
);

function wellFormed(list: { name: string; dtype: string; shape: number[] }[]): ArrayBuffer {
  const header = new Map<string, Entry>();
  let end = 0;
  for (const { name, dtype, shape } of list) {
    if (header.has(name)) continue;
    const begin = end;
    end += shape.reduce((product, size) => product * size, dtype === 'F32' ? 4 : 2);
    header.set(name, { dtype, shape, data_offsets: [begin, end] });
  }
  const data = Uint8Array.from({ length: end }, (_, i) => (i * 37) % 256);
  return file(Object.fromEntries(header), data);
}

/** The error of a file that must not parse. */
function failure(bytes: ArrayBuffer): NarvlError {
  try {
    parseSafetensors(bytes);
  } catch (error) {
    if (error instanceof NarvlError) return error;
    throw error;
  }
  throw new Error('expected an error');
}

const entry = (change: Partial<Record<keyof Entry, unknown>> = {}) => ({
  w: { dtype: 'F32', shape: [2], data_offsets: [0, 8], ...change },
});

test('reads F32 and F16 tensors, whatever their alignment', () => {
  const data = new Uint8Array(6 + 8);
  new DataView(data.buffer).setUint16(0, 0x3c00, true);
  new DataView(data.buffer).setUint16(2, 0xc000, true);
  new DataView(data.buffer).setUint16(4, 0x3555, true);
  new DataView(data.buffer).setFloat32(6, 1.5, true);
  new DataView(data.buffer).setFloat32(10, -2.25, true);
  const weights = parseSafetensors(
    file(
      {
        __metadata__: { format: 'pt' },
        half: { dtype: 'F16', shape: [3], data_offsets: [0, 6] },
        full: { dtype: 'F32', shape: [1, 2], data_offsets: [6, 14] },
      },
      data,
    ),
  );
  expect([...weights.keys()]).toEqual(['half', 'full']);
  expect(weights.get('half')?.shape).toEqual([3]);
  expect([...(weights.get('half')?.data ?? [])]).toEqual([1, -2, Math.fround(0.333251953125)]);
  expect(weights.get('full')?.shape).toEqual([1, 2]);
  expect([...(weights.get('full')?.data ?? [])]).toEqual([1.5, -2.25]);
});

test('halves: subnormals, zeros, infinities and NaN', () => {
  expect(halfToNumber(0x0001)).toBe(2 ** -24);
  expect(halfToNumber(0x03ff)).toBe(1023 * 2 ** -24);
  expect(halfToNumber(0x0400)).toBe(2 ** -14);
  expect(halfToNumber(0x7bff)).toBe(65504);
  expect(halfToNumber(0x8000)).toBe(-0);
  expect(halfToNumber(0xfc00)).toBe(Number.NEGATIVE_INFINITY);
  expect(halfToNumber(0x7e00)).toBeNaN();
});

test.each([
  ['too short', new ArrayBuffer(7), /at least 8 bytes, got 7/],
  ['header longer than the file', file({}).slice(0, 9), /header of at most 1 bytes, got 2/],
  ['header of 2^63 bytes', new Uint8Array([0, 0, 0, 0, 0, 0, 0, 128]).buffer, /at most 0 bytes/],
  ['no JSON', new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0, 123]).buffer, /header in JSON/],
  ['no UTF-8', new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0, 255]).buffer, /header in JSON/],
  ['a list', file([]), /JSON object/],
  ['an entry that is none', file({ w: 3 }), /w: expected an object, got 3/],
  ['unknown dtype', file(entry({ dtype: 'I8' }), new Uint8Array(8)), /F32 or F16, got "I8"/],
  ['inherited dtype', file(entry({ dtype: 'toString' }), new Uint8Array(8)), /got "toString"/],
  ['negative size', file(entry({ shape: [-2] }), new Uint8Array(8)), /non-negative integers/],
  ['no shape', file(entry({ shape: undefined }), new Uint8Array(8)), /got nothing/],
  ['one offset', file(entry({ data_offsets: [0] }), new Uint8Array(8)), /two data offsets/],
  ['past the end', file(entry(), new Uint8Array(7)), /within 7 bytes, got 0 to 8/],
  ['backwards', file(entry({ data_offsets: [8, 0] }), new Uint8Array(8)), /got 8 to 0/],
  ['wrong size', file(entry({ shape: [3] }), new Uint8Array(8)), /expected 12 bytes .* got 8/],
  ['huge shape', file(entry({ shape: [2 ** 50, 2 ** 50] }), new Uint8Array(8)), /got 8/],
  ['bytes left over', file(entry(), new Uint8Array(9)), /9 bytes in all, got 8/],
  [
    'overlap',
    file({ ...entry(), v: entry({ data_offsets: [4, 12] }).w }, new Uint8Array(12)),
    /v: expected to start at 8/,
  ],
  [
    'gap',
    file({ ...entry(), v: entry({ data_offsets: [12, 20] }).w }, new Uint8Array(20)),
    /v: expected to start at 8/,
  ],
])('%s is an invalid model', (_, bytes, message) => {
  const error = failure(bytes);
  expect(error.code).toBe('invalid-model');
  expect(error.message).toMatch(message);
});

test('every well-formed file parses to the shapes that it was made of', () => {
  fc.assert(
    fc.property(tensors, (list) => {
      const weights = parseSafetensors(wellFormed(list));
      expect(weights.size).toBe(new Set(list.map(({ name }) => name)).size);
      for (const { shape, data } of weights.values()) {
        expect(data.length).toBe(shape.reduce((product, size) => product * size, 1));
      }
    }),
    { seed: 1, numRuns: 300 },
  );
});

test('corruption gives weights or an invalid model, never another error', () => {
  const corruption = fc.record({
    list: tensors,
    changes: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 }),
    cut: fc.option(fc.nat()),
  });
  fc.assert(
    fc.property(corruption, ({ list, changes, cut }) => {
      const bytes = new Uint8Array(wellFormed(list));
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      const kept = bytes.buffer.slice(0, cut === null ? undefined : cut % (bytes.length + 1));
      try {
        parseSafetensors(kept);
      } catch (error) {
        expect(error).toBeInstanceOf(NarvlError);
        expect((error as NarvlError).code).toBe('invalid-model');
      }
    }),
    { seed: 2, numRuns: 3000 },
  );
});
