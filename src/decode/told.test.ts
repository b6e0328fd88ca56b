/** Names that were told are copied whole, and the mixture stays a distribution. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Posteriors } from '../model/decoder.ts';
import type { LanguageModel } from './prefix-beam.ts';
import { search as find, type Search } from './search.ts';
import { Told } from './told.ts';

const VOCABULARY = 12;
const copying = { start: 0.1, inside: 0.9 };
const uniform: LanguageModel = { logProb: () => -Math.log(VOCABULARY) };
const names = [[7, 8, 9], [7, 10], [4]];

const searched = (posteriors: Posteriors, search: Search): readonly number[] =>
  find(posteriors, [7, 9], search).decoding.tokens;

describe('Told', () => {
  test('sums to one after any history', () => {
    const tokens = fc.array(fc.integer({ min: 0, max: VOCABULARY - 1 }), { maxLength: 6 });
    fc.assert(
      fc.property(tokens, fc.array(tokens, { maxLength: 3 }), (history, some) => {
        const told = new Told(uniform, some, copying);
        let total = 0;
        for (let token = 0; token < VOCABULARY; token++) {
          total += Math.exp(told.logProb(history, token));
        }
        expect(total).toBeCloseTo(1);
      }),
    );
  });

  const p = 1 / VOCABULARY;
  test.each([
    ['a name begins', [1, 5], 7, 0.9 * p + 0.1 / 2],
    ['a name goes on in one of two ways', [1, 7], 10, 0.1 * p + 0.9 / 2],
    ['a name goes on in one way', [1, 7, 8], 9, 0.1 * p + 0.9],
    ['a name is left', [1, 7, 8], 5, 0.1 * p],
    ['a name has ended', [1, 7, 8, 9], 5, 0.9 * p],
  ])('%s', (_, history, token, expected) => {
    const told = new Told(uniform, names, copying);
    expect(Math.exp(told.logProb(history, token))).toBeCloseTo(expected);
  });

  test('is the n-grams where nothing was told', () => {
    expect(new Told(uniform, [], copying).logProb([1], 3)).toBe(uniform.logProb([1], 3));
  });

  test('keeps a piece in the beam that the n-grams never read', () => {
    const posteriors: Posteriors = {
      k: 2,
      tokens: Uint32Array.of(7, 0, 0, 8, 9, 0, 2, 0),
      logProbs: Float32Array.from([0.9, 0.1, 0.6, 0.4, 0.9, 0.1, 1, 0].map(Math.log)),
    };
    const options = { blank: 0, bos: 1, eos: 2, width: 16, languageWeight: 0.5, bonus: 0 };
    const plain: LanguageModel = { logProb: (_, token) => Math.log(token === 8 ? 0.001 : 0.1) };
    const search = { ...options, model: plain };
    expect(searched(posteriors, search)).toEqual([7, 9]);
    const model = new Told(plain, [[7, 8, 9]], copying);
    expect(searched(posteriors, { ...search, model })).toEqual([7, 8, 9]);
  });
});
