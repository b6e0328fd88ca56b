import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NarvlError } from '../errors.ts';
import { parseSafetensors, SafetensorsReader } from './safetensors.ts';

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

const sizes: Record<string, number> = { F32: 4, F16: 2, I8: 1 };

/** Arbitrary well-formed tensors. */
const tensors = fc.array(
  fc
    .record({
      name: fc
        .string({ minLength: 1 })
        .filter((name) => name !== '__metadata__' && !name.endsWith('.scale')),
      dtype: fc.constantFrom('F32', 'F16', 'I8'),
      shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }),
    })
    .filter(({ dtype, shape }) => dtype !== 'I8' || shape.length === 2),
  { maxLength: 5 },
);

/** A file of these tensors, those of I8 with their scales. */
function wellFormed(list: { name: string; dtype: string; shape: number[] }[]): ArrayBuffer {
  const header = new Map<string, Entry>();
  let end = 0;
  const add = (name: string, dtype: string, shape: number[]) => {
    const begin = end;
    end += shape.reduce((product, size) => product * size, sizes[dtype] ?? 0);
    header.set(name, { dtype, shape, data_offsets: [begin, end] });
  };
  for (const { name, dtype, shape } of list) {
    if (header.has(name)) continue;
    add(name, dtype, shape);
    if (dtype === 'I8') add(`${name}.scale`, 'F16', shape.slice(1));
  }
  // Below 128 no F16 is negative, infinite or NaN; above 0 none is zero.
  const data = Uint8Array.from({ length: end }, (_, i) => 1 + ((i * 37) % 123));
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

/** `w` of I8 [2, 3], its integers 1 to 6 but for the last, -128; and what else a file has. */
function quantised(scale: unknown, scaleBytes: Uint8Array, change: object = {}): ArrayBuffer {
  const data = new Uint8Array(6 + scaleBytes.length);
  data.set([1, 2, 3, 4, 5, 0x80]);
  data.set(scaleBytes, 6);
  const w = { dtype: 'I8', shape: [2, 3], data_offsets: [0, 6], ...change };
  return file(scale === undefined ? { w } : { w, 'w.scale': scale }, data);
}

const f32 = (...numbers: number[]) => new Uint8Array(Float32Array.of(...numbers).buffer);
const scaleOf = (dtype: string, shape: number[], bytes: number) => {
  return { dtype, shape, data_offsets: [6, 6 + bytes] };
};

test('an I8 matrix is its integers times the scale of their column, and lists no scale', () => {
  const halves = Uint8Array.of(0x00, 0x3c, 0x00, 0x38, 0x00, 0x40); // 1, 1/2, 2
  for (const bytes of [
    quantised(scaleOf('F32', [3], 12), f32(1, 0.5, 2)),
    quantised(scaleOf('F16', [3], 6), halves),
  ]) {
    const weights = parseSafetensors(bytes);
    expect([...weights.keys()]).toEqual(['w']);
    expect(weights.get('w')?.shape).toEqual([2, 3]);
    expect([...(weights.get('w')?.data ?? [])]).toEqual([1, 1, 6, 4, 2.5, -256]);
  }
});

test('a scale may stand before its matrix', () => {
  const header = {
    'w.scale': { dtype: 'F32', shape: [1], data_offsets: [0, 4] },
    w: { dtype: 'I8', shape: [1, 1], data_offsets: [4, 5] },
  };
  const weights = parseSafetensors(file(header, Uint8Array.of(...f32(0.25), 0xff)));
  expect([...weights]).toEqual([['w', { shape: [1, 1], data: Float32Array.of(-0.25) }]]);
});

test.each([
  ['no scale', undefined, [], {}, /w: expected w\.scale with it, got no such tensor/],
  [
    'two scales for three columns',
    scaleOf('F32', [2], 8),
    [1, 1],
    {},
    /w\.scale: expected F16 or F32 \[3\], got F32 \[2\]/,
  ],
  ['a scale a row', scaleOf('F32', [3, 1], 12), [1, 1, 1], {}, /got F32 \[3,1\]/],
  ['a scale of I8', scaleOf('I8', [3], 3), [], {}, /expected F16 or F32 \[3\], got I8 \[3\]/],
  [
    'a scale of zero',
    scaleOf('F32', [3], 12),
    [1, 0, 1],
    {},
    /w\.scale: expected positive numbers, got 0/,
  ],
  ['a negative scale', scaleOf('F32', [3], 12), [1, 1, -2], {}, /got -2/],
  [
    'an infinite scale',
    scaleOf('F32', [3], 12),
    [Number.POSITIVE_INFINITY, 1, 1],
    {},
    /got Infinity/,
  ],
  ['a scale that is no number', scaleOf('F32', [3], 12), [1, Number.NaN, 1], {}, /got NaN/],
  [
    'an I8 vector',
    scaleOf('F32', [3], 12),
    [1, 1, 1],
    { shape: [6] },
    /expected I8 \[in, out\], got \[6\]/,
  ],
  [
    'a scaled F16',
    scaleOf('F32', [3], 12),
    [1, 1, 1],
    { dtype: 'F16', shape: [3] },
    /w\.scale: expected w to be I8, got F16/,
  ],
])('%s is an invalid model', (_, scale, numbers, change, message) => {
  const bytes = scale?.dtype === 'I8' ? Uint8Array.of(1, 1, 1) : f32(...numbers);
  const error = failure(quantised(scale, bytes, change));
  expect(error.code).toBe('invalid-model');
  expect(error.message).toMatch(message);
});

test('a scale of nothing is an invalid model', () => {
  const header = { 'w.scale': { dtype: 'F32', shape: [1], data_offsets: [0, 4] } };
  expect(failure(file(header, f32(1))).message).toMatch(/expected w to be I8, got no such tensor/);
});

test.each([
  ['too short', new ArrayBuffer(7), /at least 8 bytes, got 7/],
  ['header longer than the file', file({}).slice(0, 9), /header of at most 1 bytes, got 2/],
  ['header of 2^63 bytes', new Uint8Array([0, 0, 0, 0, 0, 0, 0, 128]).buffer, /at most 0 bytes/],
  ['no JSON', new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0, 123]).buffer, /header in JSON/],
  ['no UTF-8', new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0, 255]).buffer, /header in JSON/],
  ['a list', file([]), /JSON object/],
  ['an entry that is none', file({ w: 3 }), /w: expected an object, got 3/],
  ['unknown dtype', file(entry({ dtype: 'I16' }), new Uint8Array(8)), /F16 or I8, got "I16"/],
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

test('reads the same of a file in pieces, each weight as soon as its bytes are there', () => {
  fc.assert(
    fc.property(
      tensors,
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
      (list, steps) => {
        const bytes = new Uint8Array(wellFormed(list));
        const reader = new SafetensorsReader(bytes.length);
        const weights = [];
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const step = steps[i % steps.length] ?? 1;
          weights.push(...reader.push(bytes.subarray(at, at + step)));
          at += step;
        }
        reader.end();
        expect(weights).toEqual([...parseSafetensors(bytes.buffer)]);
      },
    ),
  );
  const both = new Uint8Array(
    file(
      {
        first: { dtype: 'F32', shape: [1], data_offsets: [0, 4] },
        second: { dtype: 'F32', shape: [1], data_offsets: [4, 8] },
      },
      f32(1, 2),
    ),
  );
  const reader = new SafetensorsReader(both.length);
  expect(reader.push(both.subarray(0, -4)).map(([name]) => name)).toEqual(['first']);
  expect(() => reader.end()).toThrow(`expected ${both.length} bytes, got fewer`);
  expect(reader.push(both.subarray(-4)).map(([name]) => name)).toEqual(['second']);
  reader.end();
  expect(() => reader.push(Uint8Array.of(0))).toThrow(`expected ${both.length} bytes, got more`);
});
