/** Names that were told are copied whole and asked for, and the mixture stays a distribution. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Posteriors } from '../model/decoder.ts';
import type { Name } from '../model/name.ts';
import type { LanguageModel } from './prefix-beam.ts';
import { search as find, type Search, withNames } from './search.ts';
import { spelled, Told } from './told.ts';

const VOCABULARY = 12;
const copying = { start: 0.1, inside: 0.9, least: 0.1, sure: 0.9, named: 3 };
const uniform: LanguageModel = { logProb: () => -Math.log(VOCABULARY) };
const likely = (tokens: readonly (readonly number[])[], p = 0.5): Name[] =>
  tokens.map((name) => ({ tokens: name, likely: p }));
const names = likely([[7, 8, 9], [7, 10], [4]]);

const searched = (posteriors: Posteriors, search: Search): readonly number[] =>
  find(posteriors, [7, 9], search).decoding.tokens;

describe('Told', () => {
  test('sums to one after any history', () => {
    const tokens = fc.array(fc.integer({ min: 0, max: VOCABULARY - 1 }), { maxLength: 6 });
    fc.assert(
      fc.property(tokens, fc.array(tokens, { maxLength: 3 }), (history, some) => {
        const told = new Told(uniform, likely(some), copying);
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

  test.each([
    ['nothing', []],
    ['nothing likely', likely([[3]], 0.09)],
  ])('is the n-grams where %s was told', (_, some) => {
    const told = new Told(uniform, some, copying);
    expect(told.logProb([1], 3)).toBe(uniform.logProb([1], 3));
    expect(told.pieces).toEqual([]);
  });

  test.each([
    ['it is said', [1, 4, 7, 8], 3],
    ['it is begun', [1, 4, 7], 0],
    ['its last token stands alone', [1, 8], 0],
    ['it goes on otherwise', [1, 7, 9], 0],
    ['it was said before', [1, 7, 8, 4], 0],
    ['it is said again', [1, 7, 8, 4, 7, 8], 0],
  ])('asks for a sure name: %s', (_, text, gain) => {
    const [sure, unsure] = [0.9, 0.89].map((p) => new Told(uniform, likely([[7, 8]], p), copying));
    const [history, token] = [text.slice(0, -1), text.at(-1) ?? 0];
    const more = (sure?.logProb(history, token) ?? 0) - (unsure?.logProb(history, token) ?? 0);
    expect(more).toBeCloseTo(gain);
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
    const model = new Told(plain, likely([[7, 8, 9]]), copying);
    expect(searched(posteriors, { ...search, model })).toEqual([7, 8, 9]);
  });

  test('spells a name of which no slot lists a piece', () => {
    const posteriors: Posteriors = {
      k: 2,
      tokens: Uint32Array.of(7, 0, 2, 0, 2, 0),
      logProbs: Float32Array.from([0.9, 0.1, 0.9, 0.1, 0.9, 0.1].map(Math.log)),
    };
    const options = { blank: 0, bos: 1, eos: 2, width: 16, languageWeight: 0.5, bonus: 0 };
    const search = { ...options, model: uniform, copying };
    const text = (p: number) =>
      find(posteriors, [7], withNames(search, likely([[7, 8]], p))).decoding.tokens;
    expect(text(0.05)).toEqual([7]);
    expect(text(0.95)).toEqual([7, 8]);
  });
});

test('pieces of names stand in every slot, as likely as the last that is listed', () => {
  const posteriors: Posteriors = {
    k: 2,
    tokens: Uint32Array.of(4, 8, 7, 5),
    logProbs: Float32Array.of(-1, -3, -2, -4),
  };
  expect(spelled(posteriors, [7, 8])).toEqual({
    k: 4,
    tokens: Uint32Array.of(4, 8, 7, 8, 7, 5, 7, 8),
    logProbs: Float32Array.of(-1, -3, -3, -Infinity, -2, -4, -Infinity, -4),
  });
  expect(spelled(posteriors, [])).toEqual(posteriors);
});
