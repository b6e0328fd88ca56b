import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Posteriors } from '../model/decoder.ts';
import { collapse } from '../reference/collapse.ts';
import { type BeamOptions, type LanguageModel, prefixBeam } from './prefix-beam.ts';

const [blank, bos, eos] = [0, 1, 2];
const alphabet = [blank, eos, 3, 4];

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

/** Posteriors of `slots` slots over the whole alphabet, each a distribution. */
const anyPosteriors = (slots: number) =>
  fc
    .array(fc.array(fc.double({ min: -6, max: 3, noNaN: true }), sameLength), {
      minLength: slots,
      maxLength: slots,
    })
    .map((rows): Posteriors => {
      const logProbs = rows.flatMap((row) => {
        const total = Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0));
        return row.map((x) => x - total);
      });
      return {
        k: alphabet.length,
        tokens: Uint32Array.from(rows.flatMap(() => alphabet)),
        // In f64, so that what differs is the search.
        logProbs: logProbs as unknown as Float32Array,
      };
    });
const sameLength = { minLength: alphabet.length, maxLength: alphabet.length };

/** Every text with its probability: the sum over every path that collapses to it. */
function writtenOut({ k, logProbs }: Posteriors): Map<string, number> {
  const slots = logProbs.length / k;
  const found = new Map<string, number>();
  for (let path = 0; path < k ** slots; path++) {
    const digits = Array.from({ length: slots }, (_, slot) => Math.floor(path / k ** slot) % k);
    const tokens = digits.map((digit) => alphabet[digit] ?? 0);
    const kept = collapse(tokens, blank, eos);
    const text = tokens.filter((_, slot) => kept[slot]).join(' ');
    const logProb = digits.reduce((sum, digit, slot) => sum + (logProbs[slot * k + digit] ?? 0), 0);
    found.set(text, (found.get(text) ?? 0) + Math.exp(logProb));
  }
  return found;
}

/** The best path's text. */
function greedy({ k, tokens, logProbs }: Posteriors): string {
  const path = Array.from({ length: tokens.length / k }, (_, slot) => {
    const row = Array.from(logProbs.slice(slot * k, (slot + 1) * k));
    return alphabet[row.indexOf(Math.max(...row))] ?? 0;
  });
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

test('hypotheses are sorted and distinct, and not below the best path, at any width', () => {
  fc.assert(
    fc.property(anyPosteriors(5), fc.integer({ min: 1, max: 12 }), (posteriors, width) => {
      const found = prefixBeam(posteriors, opinionated, options({ width }));
      const texts = found.map(({ tokens }) => tokens.join(' '));
      expect(new Set(texts).size).toBe(texts.length);
      expect(found.length).toBeLessThanOrEqual(width);
      for (const [i, { score }] of found.entries()) {
        expect(score).toBeLessThanOrEqual(found[i - 1]?.score ?? Number.POSITIVE_INFINITY);
      }
      if (width < 12) return;
      const total = writtenOut(posteriors);
      const best = Math.exp(found[0]?.logProb ?? Number.NEGATIVE_INFINITY);
      // Of the paths that were kept; the best path's text is one of them.
      expect(best).toBeGreaterThanOrEqual(bestPath(posteriors) - 1e-9);
      expect(best).toBeLessThanOrEqual((total.get(texts[0] ?? '') ?? 0) + 1e-9);
    }),
  );
});

/** The probability of the best path. */
function bestPath({ k, logProbs }: Posteriors): number {
  let logProb = 0;
  for (let at = 0; at < logProbs.length; at += k) {
    logProb += Math.max(...logProbs.slice(at, at + k));
  }
  return Math.exp(logProb);
}

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

/** Posteriors that leave no doubt of a path. */
function certain(path: readonly number[]): Posteriors {
  return {
    k: alphabet.length,
    tokens: Uint32Array.from(path.flatMap(() => alphabet)),
    logProbs: Float32Array.from(
      path.flatMap((token) => alphabet.map((other) => (other === token ? 0 : -40))),
    ),
  };
}

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
