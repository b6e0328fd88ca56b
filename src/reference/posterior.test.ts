import { expect, test } from 'vitest';
import { expectClose } from '../testing/close.ts';
import { randomNumbers, seededRandom } from '../testing/random.ts';
import { posteriors } from './posterior.ts';

test('log probabilities are those of a softmax over the whole row', () => {
  const logits = Float32Array.of(Math.log(1), Math.log(4), Math.log(3), Math.log(2));
  const { k, tokens, logProbs } = posteriors(logits, 4, 2);
  expect(k).toBe(2);
  expect([...tokens]).toEqual([1, 2]);
  expectClose(logProbs, [Math.log(0.4), Math.log(0.3)], 1e-6);
});

test('the k likeliest of each row, as sorting finds them', () => {
  const [rows, vocabulary, k] = [7, 101, 8];
  const logits = randomNumbers(seededRandom(1), rows * vocabulary, 5);
  const { tokens, logProbs } = posteriors(logits, vocabulary, k);
  for (let row = 0; row < rows; row++) {
    const values = [...logits.subarray(row * vocabulary, (row + 1) * vocabulary)];
    const total = values.reduce((sum, value) => sum + Math.exp(value), 0);
    const sorted = values
      .map((value, token) => ({ value, token }))
      .sort((a, b) => b.value - a.value)
      .slice(0, k);
    expect([...tokens.subarray(row * k, (row + 1) * k)]).toEqual(sorted.map(({ token }) => token));
    expectClose(
      logProbs.subarray(row * k, (row + 1) * k),
      sorted.map(({ value }) => value - Math.log(total)),
      1e-6,
    );
  }
});

test('of equals the lower token comes first', () => {
  expect([...posteriors(Float32Array.of(1, 2, 2, 1, 2, 1), 6, 5).tokens]).toEqual([1, 2, 4, 0, 3]);
});

test('logits whose exponentials overflow', () => {
  const { logProbs } = posteriors(Float32Array.of(1000, 1000, -1000), 3, 3);
  expectClose(logProbs, [-Math.LN2, -Math.LN2, -2000 - Math.LN2], 1e-6);
});
