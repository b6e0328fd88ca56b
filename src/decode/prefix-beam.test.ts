import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyPosteriors, blank, bos, certain, eos, everyPath } from '../testing/posteriors.ts';
import { type BeamOptions, judge, type LanguageModel, prefixBeam } from './prefix-beam.ts';

/** One that has an opinion of every pair of tokens, and is none. */
const opinionated: LanguageModel = {
  logProb: (history, token) => -(((history.at(-1) ?? 0) * 7 + token * 3) % 5) / 2 - 0.1,
};

const options = (changed: Partial<BeamOptions> = {}): BeamOptions => ({
  blank,
  bos,
  eos,
  width: 10_000,
  languageWeight: 0,
  bonus: 0,
  ...changed,
});

const joined = (texts: readonly (readonly number[])[]) => texts.map((text) => text.join(' '));

describe('prefixBeam', () => {
  test('finds every text if it drops nothing', () => {
    fc.assert(
      fc.property(anyPosteriors(4), (posteriors) => {
        const expected = new Set(joined(everyPath(posteriors).map(({ text }) => text)));
        const found = joined(prefixBeam(posteriors, opinionated, options()));
        expect(found.length).toBe(expected.size);
        expect(new Set(found)).toEqual(expected);
      }),
      { numRuns: 30 },
    );
  });

  test('finds different texts, and not more than it is wide', () => {
    fc.assert(
      fc.property(anyPosteriors(5), fc.integer({ min: 1, max: 12 }), (posteriors, width) => {
        const found = joined(prefixBeam(posteriors, opinionated, options({ width })));
        expect(new Set(found).size).toBe(found.length);
        expect(found.length).toBeGreaterThan(0);
        expect(found.length).toBeLessThanOrEqual(width);
      }),
    );
  });

  test.each([
    ['a blank between keeps a repeat', [3, 0, 3], [3, 3]],
    ['no blank between merges it', [3, 3, 0], [3]],
    ['what stands behind the end is not read', [3, 2, 4], [3]],
    ['nothing but blanks is no text', [0, 0, 0], []],
  ])('%s', (_, path, wanted) => {
    expect(prefixBeam(certain(path), opinionated, options({ width: 1 }))).toEqual([wanted]);
  });
});

test('judge asks for each token after those before it, and adds a bonus for each', () => {
  const weighed = options({ languageWeight: 0.7, bonus: 0.4 });
  const asked: [readonly number[], number][] = [];
  const model: LanguageModel = {
    logProb: (history, token) => {
      asked.push([history, token]);
      return -token;
    },
  };
  expect(judge([3, 4], model, weighed)).toBeCloseTo(-0.7 * (3 + 4 + eos) + 3 * 0.4);
  expect(asked).toEqual([
    [[bos], 3],
    [[bos, 3], 4],
    [[bos, 3, 4], eos],
  ]);
});
