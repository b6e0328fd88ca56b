import { expect, test } from 'vitest';
import { expectClose } from '../testing/close.ts';
import { randomNumbers, seededRandom } from '../testing/random.ts';
import { attention, attentionMap } from './attention.ts';

const rows = (data: Float32Array, stride: number, offset = 0) => ({ data, stride, offset });

test('one key gives its value, whatever the query', () => {
  const q = rows(Float32Array.of(5, -3), 2);
  const k = rows(Float32Array.of(1, 1), 2);
  const v = rows(Float32Array.of(7, 8), 2);
  const out = attention(q, k, v, { queries: 1, keys: 1, heads: 1, width: 2 });
  expect([...out]).toEqual([7, 8]);
});

test('equal keys give the mean of the values', () => {
  const q = rows(Float32Array.of(1, 2, 3, 4), 4);
  const k = rows(new Float32Array(12).fill(0.5), 4);
  const v = rows(Float32Array.of(0, 0, 0, 0, 3, 3, 3, 3, 6, 9, 12, 15), 4);
  const out = attention(q, k, v, { queries: 1, keys: 3, heads: 2, width: 4 });
  expectClose(out, [3, 4, 5, 6], 1e-7);
});

test('heads attend each for itself, with rows inside wider rows', () => {
  const heads = 3;
  const headWidth = 4;
  const width = heads * headWidth;
  const stride = 3 * width + 5;
  const [queries, keys] = [4, 6];
  const data = randomNumbers(seededRandom(1), Math.max(queries, keys) * stride, 3);
  const out = attention(
    rows(data, stride),
    rows(data, stride, width),
    rows(data, stride, 2 * width + 5),
    { queries, keys, heads, width },
  );
  for (let query = 0; query < queries; query++) {
    for (let head = 0; head < heads; head++) {
      const at = (row: number, offset: number, i: number) =>
        data[row * stride + offset + head * headWidth + i]!;
      const columns = [0, 1, 2, 3];
      const exponentials = Array.from({ length: keys }, (_, key) =>
        Math.exp(columns.reduce((sum, i) => sum + at(query, 0, i) * at(key, width, i), 0) / 2),
      );
      const total = exponentials.reduce((sum, value) => sum + value, 0);
      const wanted = columns.map((i) =>
        exponentials.reduce((sum, p, key) => sum + (p / total) * at(key, 2 * width + 5, i), 0),
      );
      const start = query * width + head * headWidth;
      expectClose(out.subarray(start, start + headWidth), wanted, 1e-6);
    }
  }
});

test('scores whose exponentials overflow', () => {
  const q = rows(Float32Array.of(1000), 1);
  const k = rows(Float32Array.of(1000, 999), 1);
  const v = rows(Float32Array.of(1, 2), 1);
  const out = attention(q, k, v, { queries: 1, keys: 2, heads: 1, width: 1 });
  expect([...out]).toEqual([1]);
});

test('the map is the mean of the heads, zero where there is no key', () => {
  // Values that are one-hot in each head come out as its weights.
  const [heads, headWidth, queries, keys, columns] = [2, 8, 3, 5, 7];
  const width = heads * headWidth;
  const random = seededRandom(4);
  const q = rows(randomNumbers(random, queries * width, 2), width);
  const k = rows(randomNumbers(random, keys * width, 2), width);
  const v = rows(new Float32Array(keys * width), width);
  for (let key = 0; key < keys; key++) {
    for (let head = 0; head < heads; head++) v.data[key * width + head * headWidth + key] = 1;
  }
  const sizes = { queries, keys, heads, width };
  const weights = attention(q, k, v, sizes);
  const map = attentionMap(q, k, sizes, columns);
  for (let query = 0; query < queries; query++) {
    const expected = Array.from({ length: columns }, (_, key) => {
      if (key >= keys) return 0;
      return (weights[query * width + key]! + weights[query * width + headWidth + key]!) / heads;
    });
    expectClose(map.subarray(query * columns, (query + 1) * columns), expected, 1e-6);
  }
});
