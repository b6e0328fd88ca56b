import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Posteriors } from '../model/decoder.ts';
import { collapse } from '../reference/collapse.ts';
import { anyPosteriors, blank, bos, certain, eos, everyPath } from '../testing/posteriors.ts';
import { type BeamOptions, type LanguageModel, prefixBeam } from './prefix-beam.ts';

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

/** Every text with its probability: the sum over every path that collapses to it. */
function writtenOut(posteriors: Posteriors): Map<string, number> {
  const found = new Map<string, number>();
  for (const { text, logProb } of everyPath(posteriors)) {
    found.set(text.join(' '), (found.get(text.join(' ')) ?? 0) + Math.exp(logProb));
  }
  return found;
}

/** The best path's text. */
function greedy({ k, tokens }: Posteriors): string {
  const path = Array.from(tokens.filter((_, i) => i % k === 0));
  const kept = collapse(path, blank, eos);
  return path.filter((_, slot) => kept[slot]).join(' ');
}

describe('a beam that drops nothing', () => {
  test('finds every text with the sum over all its paths', () => {
    fc.assert(
      fc.property(anyPosteriors(4), (posteriors) => {
        const expected = writtenOut(posteriors);
        const found = prefixBeam(posteriors, opinionated, options());
        expect(found.length).toBe(expected.size);
        for (const { tokens, logProb, score } of found) {
          expect(Math.exp(logProb)).toBeCloseTo(expected.get(tokens.join(' ')) ?? Number.NaN, 9);
          expect(score).toBe(logProb);
        }
      }),
      { numRuns: 30 },
    );
  });

  test('ranks by posteriors, language model and bonus together', () => {
    fc.assert(
      fc.property(anyPosteriors(3), (posteriors) => {
        const weighed = options({ languageWeight: 0.7, bonus: 0.4 });
        for (const { tokens, logProb, score } of prefixBeam(posteriors, opinionated, weighed)) {
          const judged = [...tokens, eos].reduce(
            (sum, token, i) => sum + 0.7 * opinionated.logProb([bos, ...tokens.slice(0, i)], token),
            0,
          );
          expect(score).toBeCloseTo(logProb + judged + 0.4 * (tokens.length + 1), 9);
        }
      }),
      { numRuns: 30 },
    );
  });
});

test('hypotheses are sorted and distinct, at any width', () => {
  fc.assert(
    fc.property(anyPosteriors(5), fc.integer({ min: 1, max: 12 }), (posteriors, width) => {
      const found = prefixBeam(posteriors, opinionated, options({ width }));
      const texts = found.map(({ tokens }) => tokens.join(' '));
      expect(new Set(texts).size).toBe(texts.length);
      expect(found.length).toBeLessThanOrEqual(width);
      for (const [i, { score }] of found.entries()) {
        expect(score).toBeLessThanOrEqual(found[i - 1]?.score ?? Number.POSITIVE_INFINITY);
      }
    }),
  );
});

test.each([
  ['a blank between keeps a repeat', [3, 0, 3], [3, 3]],
  ['no blank between merges it', [3, 3, 0], [3]],
  ['what stands behind the end is not read', [3, 2, 4], [3]],
  ['nothing but blanks is no text', [0, 0, 0], []],
])('%s', (_, path, wanted) => {
  const posteriors = certain(path);
  expect(prefixBeam(posteriors, opinionated, options())[0]?.tokens).toEqual(wanted);
  expect(greedy(posteriors)).toBe(wanted.join(' '));
});

test('the language model decides between what the slots find equal', () => {
  const even = Math.log(0.5);
  const posteriors: Posteriors = {
    k: 2,
    tokens: Uint32Array.from([3, blank, blank, 3, 3, 4, eos, blank]),
    logProbs: Float32Array.from([0, -40, 0, -40, even, even, 0, -40]),
  };
  for (const favourite of [3, 4]) {
    const model: LanguageModel = { logProb: (_, token) => (token === favourite ? -0.1 : -5) };
    const [best] = prefixBeam(posteriors, model, options({ languageWeight: 1 }));
    expect(best?.tokens).toEqual([3, favourite]);
  }
});
