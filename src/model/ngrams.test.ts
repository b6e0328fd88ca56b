import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NarvlError } from '../errors.ts';
import { NgramModel } from './ngrams.ts';

/** Written by training/writing/ngram.py, whose own test pins its bytes: probabilities that it computed. */
const fixture: {
  vocabulary: number;
  order: number;
  file: string;
  rows: { history: number[]; logProbs: number[] }[];
} = JSON.parse(readFileSync(new URL('../testing/ngrams.json', import.meta.url), 'utf8'));

const bytes = Uint8Array.from(Buffer.from(fixture.file, 'base64'));

const open = (data: Uint8Array, vocabulary = fixture.vocabulary) =>
  new NgramModel(data.slice().buffer, vocabulary);

test('gives the probabilities that Python computed, but for the rounding in the file', () => {
  const model = open(bytes);
  expect(model.order).toBe(fixture.order);
  for (const { history, logProbs } of fixture.rows) {
    for (const [token, expected] of logProbs.entries()) {
      // A back-off adds a rounded weight at each step.
      expect(Math.abs(model.logProb(history, token) - expected)).toBeLessThan(2 / 16);
    }
  }
});

test('only the last tokens of a history count', () => {
  const model = open(bytes);
  for (let token = 0; token < fixture.vocabulary; token++) {
    expect(model.logProb([1, 6, 6, 4, 5], token)).toBe(model.logProb([4, 5], token));
  }
});

test('what is no token has no probability', () => {
  const model = open(bytes);
  for (const token of [-1, 8, 1.5, Number.NaN]) {
    expect(model.logProb([1], token)).toBe(Number.NEGATIVE_INFINITY);
  }
  expect(model.logProb([1, 99], 4)).toBe(model.logProb([], 4));
});

describe('a file that is none', () => {
  test.each([
    ['empty', new Uint8Array(), /version 1/],
    ['of another kind', new Uint8Array(64), /version 1/],
    ['cut', bytes.slice(0, 60), /at least/],
    ['too long', Uint8Array.from([...bytes, 0, 0, 0, 0]), /expected \d+ bytes, got \d+/],
  ])('%s', (_, data, message) => {
    expect(() => open(data)).toThrow(message);
  });

  test('of another vocabulary, but for tokens without a text', () => {
    expect(() => open(bytes, 9)).toThrow("expected the decoder's 9 tokens, got 8");
    const model = new NgramModel(bytes.slice().buffer, 12, 8);
    expect(model.logProb([1], 4)).toBe(open(bytes).logProb([1], 4));
    expect(model.logProb([1], 8)).toBe(Number.NEGATIVE_INFINITY);
  });

  test('is refused or read, whatever its bytes are', () => {
    const change = fc.tuple(fc.nat(bytes.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const data = bytes.slice();
        for (const [at, value] of changes) data[at] = value;
        try {
          const logProb = open(data).logProb([1, 4, 5], 6);
          expect(logProb).toBeLessThanOrEqual(0);
        } catch (error) {
          expect(error).toBeInstanceOf(NarvlError);
          expect((error as NarvlError).code).toBe('invalid-model');
        }
      }),
    );
  });
});
