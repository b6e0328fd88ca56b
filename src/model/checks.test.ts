import { expect, test } from 'vitest';
import { randomWeights } from '../testing/random.ts';
import { checkDecoding, checkModel, checkRequest } from './checks.ts';

const shape = {
  width: 16,
  heads: 2,
  layers: 1,
  ffn: 8,
  vocabulary: 10,
  queries: 5,
  memory: 3,
  blank: 0,
  eos: 9,
  epsilon: 1e-5,
};
const weights = randomWeights(shape, 1);

test('a model that fits passes', () => {
  checkModel(shape, weights);
});

test.each([
  [{ layers: 0 }, 'layers: expected a positive integer, got 0'],
  [{ vocabulary: 1.5 }, 'vocabulary: expected a positive integer, got 1.5'],
  [{ heads: 3 }, 'width 16 is not a multiple of heads 3'],
  [{ heads: 8 }, 'expected multiples of 4, got width / heads = 2 and ffn = 8'],
  [{ ffn: 6 }, 'expected multiples of 4, got width / heads = 8 and ffn = 6'],
  [{ epsilon: 0 }, 'epsilon: expected a number in (0, 1), got 0'],
  [{ blank: 10 }, 'blank: expected a token id below 10, got 10'],
  [{ eos: -1 }, 'eos: expected a token id below 10, got -1'],
  [{ queries: 6 }, 'weight queries.weight: expected [6,16], got [5,16] of 80 numbers'],
  [{ layers: 2 }, 'weight cross.kv.weight: expected [16,64], got [16,32] of 512 numbers'],
])('a shape with %o is an invalid model', (change, message) => {
  expect(() => checkModel({ ...shape, ...change }, weights)).toThrow(
    expect.objectContaining({ code: 'invalid-model', message }),
  );
});

test('requests that do not fit are invalid arguments', () => {
  const good = { memoryLengths: [1, 3], queries: { first: 2, count: 3 } };
  checkRequest(shape, good);
  for (const change of [
    { memoryLengths: [] },
    { memoryLengths: [0] },
    { memoryLengths: [4] },
    { memoryLengths: [Number.NaN] },
    { queries: { first: -1, count: 1 } },
    { queries: { first: 2, count: 4 } },
    { queries: { first: 0, count: 0 } },
  ]) {
    expect(() => checkRequest(shape, { ...good, ...change })).toThrow(
      expect.objectContaining({ code: 'invalid-argument' }),
    );
  }
});

test('a slot without a likeliest token is an invalid model', () => {
  const decoding = (token: number, logProb: number) => ({
    tokens: [],
    slots: [{ token, logProb, kept: false }],
  });
  checkDecoding(shape, decoding(9, -1));
  for (const wrong of [decoding(10, -1), decoding(9, Number.NaN)]) {
    expect(() => checkDecoding(shape, wrong)).toThrow(
      expect.objectContaining({ code: 'invalid-model' }),
    );
  }
});
