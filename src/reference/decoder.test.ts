/** The reference decoder against the network written down once more, plainly, in float64. */
import { expect, test } from 'vitest';
import type { DecoderShape, DecoderWeights, Decoding, QueryRange } from '../model/decoder.ts';
import { expectClose } from '../testing/close.ts';
import { randomNumbers, randomWeights, seededRandom } from '../testing/random.ts';
import { ReferenceDecoder } from './decoder.ts';

const shape: DecoderShape = {
  width: 16,
  heads: 2,
  layers: 3,
  ffn: 20,
  vocabulary: 30,
  queries: 9,
  memory: 6,
  blank: 4,
  eos: 7,
  epsilon: 1e-3,
};
const weights = randomWeights(shape, 1);

type Matrix = number[][];

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const add = (a: Matrix, b: Matrix): Matrix => a.map((row, r) => row.map((v, c) => v + b[r]![c]!));
const columns = (x: Matrix, from: number, to: number): Matrix =>
  x.map((row) => row.slice(from, to));

function softmax(row: readonly number[]): number[] {
  const total = sum(row.map(Math.exp));
  return row.map((value) => Math.exp(value) / total);
}

/** The log probabilities [queries, vocabulary] of the network in model/decoder.ts. */
function network(w: DecoderWeights, memory: Matrix, { first, count }: QueryRange): Matrix {
  const { width: d, heads, layers, queries } = shape;
  const vector = (name: string) => [...w.get(name)!.data];
  const matrix = (name: string, rows: number): Matrix => {
    const data = vector(name);
    const size = data.length / rows;
    return Array.from({ length: rows }, (_, r) => data.slice(r * size, (r + 1) * size));
  };
  const linear = (name: string, x: Matrix): Matrix => {
    const weight = matrix(`${name}.weight`, x[0]!.length);
    const bias = vector(`${name}.bias`);
    return x.map((row) => bias.map((b, j) => b + sum(row.map((v, k) => v * weight[k]![j]!))));
  };
  const norm = (name: string, x: Matrix): Matrix => {
    const [gain, bias] = [vector(`${name}.weight`), vector(`${name}.bias`)];
    return x.map((row) => {
      const mean = sum(row) / d;
      const variance = sum(row.map((v) => (v - mean) ** 2)) / d;
      return row.map(
        (v, i) => ((v - mean) / Math.sqrt(variance + shape.epsilon)) * gain[i]! + bias[i]!,
      );
    });
  };
  const attend = (q: Matrix, k: Matrix, v: Matrix): Matrix =>
    q.map((row) =>
      Array.from({ length: heads }, (_, head) => {
        const at = (head * d) / heads;
        const slice = (r: number[]) => r.slice(at, at + d / heads);
        const scores = k.map(
          (key) => sum(slice(row).map((x, i) => x * slice(key)[i]!)) / Math.sqrt(d / heads),
        );
        const p = softmax(scores);
        return slice(row).map((_, i) => sum(v.map((value, j) => p[j]! * slice(value)[i]!)));
      }).flat(),
    );
  const gelu = (x: number) =>
    (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));

  const kv = linear('cross.kv', memory);
  let x = norm('queries.norm', matrix('queries.weight', queries).slice(first, first + count));
  for (let i = 0; i < layers; i++) {
    const layer = `layers.${i}`;
    const qkv = linear(`${layer}.self.qkv`, norm(`${layer}.self.norm`, x));
    const self = attend(columns(qkv, 0, d), columns(qkv, d, 2 * d), columns(qkv, 2 * d, 3 * d));
    x = add(x, linear(`${layer}.self.out`, self));
    const q = linear(`${layer}.cross.q`, norm(`${layer}.cross.norm`, x));
    const at = 2 * d * i;
    const cross = attend(q, columns(kv, at, at + d), columns(kv, at + d, at + 2 * d));
    x = add(x, linear(`${layer}.cross.out`, cross));
    const inside = linear(`${layer}.ffn.up`, norm(`${layer}.ffn.norm`, x));
    x = add(
      x,
      linear(
        `${layer}.ffn.down`,
        inside.map((row) => row.map(gelu)),
      ),
    );
  }
  return linear('head', norm('head.norm', x)).map((row) => softmax(row).map(Math.log));
}

function expectDecoding(got: Decoding, logProbs: Matrix): void {
  const k = 8;
  const ranked = logProbs.map((row) =>
    row
      .map((logProb, token) => ({ token, logProb }))
      .sort((a, b) => b.logProb - a.logProb)
      .slice(0, k),
  );
  expect(got.posteriors?.k).toBe(k);
  expect([...got.posteriors!.tokens]).toEqual(ranked.flat().map(({ token }) => token));
  expectClose(
    got.posteriors!.logProbs,
    ranked.flat().map(({ logProb }) => logProb),
    1e-5,
  );
  expect(got.slots.map(({ token }) => token)).toEqual(ranked.map(([best]) => best!.token));
  expect(got.slots.map(({ logProb }) => logProb)).toEqual(
    got.slots.map((_, slot) => got.posteriors!.logProbs[slot * k]),
  );
  expect(got.tokens).toEqual(got.slots.filter(({ kept }) => kept).map(({ token }) => token));
}

test('a batch with memories of several lengths and queries from the middle', () => {
  const decoder = new ReferenceDecoder(shape, weights);
  const lengths = [6, 1, 4];
  const rows = shape.memory * shape.width;
  const memory = randomNumbers(seededRandom(2), lengths.length * rows, 2);
  lengths.forEach((length, image) => {
    memory.fill(Number.NaN, image * rows + length * shape.width, (image + 1) * rows);
  });
  for (const queries of [
    { first: 0, count: 9 },
    { first: 3, count: 4 },
    { first: 0, count: 9 },
  ]) {
    const request = { memoryLengths: lengths, queries, posteriors: true };
    decoder.decode(memory, request).forEach((got, image) => {
      const seen = Array.from({ length: lengths[image]! }, (_, row) => {
        const at = image * rows + row * shape.width;
        return [...memory.subarray(at, at + shape.width)];
      });
      expectDecoding(got, network(weights, seen, queries));
    });
  }
});

test('posteriors come only if asked for', () => {
  const decoder = new ReferenceDecoder(shape, weights);
  const memory = randomNumbers(seededRandom(3), shape.memory * shape.width);
  const request = { memoryLengths: [6], queries: { first: 0, count: 9 } };
  expect(decoder.decode(memory, request)[0]).not.toHaveProperty('posteriors');
});

test('a memory of another size is refused', () => {
  const decoder = new ReferenceDecoder(shape, weights);
  const request = { memoryLengths: [6], queries: { first: 0, count: 9 } };
  expect(() => decoder.decode(new Float32Array(95), request)).toThrow(
    'memory: expected [1, 6, 16], got 95 numbers',
  );
});
