import fc from 'fast-check';
import { expect, test } from 'vitest';
import { collapse } from './collapse.ts';

const blank = 0;
const eos = 1;

/** The tokens that the collapse keeps. */
const kept = (tokens: number[]) => {
  const flags = collapse(tokens, blank, eos);
  return tokens.filter((_, slot) => flags[slot]);
};

test.each([
  ['nothing', [], []],
  ['all blank', [0, 0, 0], []],
  ['all repeats', [5, 5, 5], [5]],
  ['blanks between words', [0, 5, 0, 6, 0], [5, 6]],
  ['a repeat with a blank between is said twice', [5, 0, 5], [5, 5]],
  ['a repeat with a word between is said twice', [5, 6, 5], [5, 6, 5]],
  ['EOS cuts', [5, 6, 1, 7], [5, 6]],
  ['the first EOS counts', [5, 1, 6, 1, 7], [5]],
  ['EOS first', [1, 5, 6], []],
  ['repeats up to EOS', [5, 5, 1, 1], [5]],
])('%s', (_, tokens, wanted) => {
  expect(kept(tokens)).toEqual(wanted);
});

test('is what dropping the rest, merging runs and dropping blanks gives', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 30 }), (tokens) => {
      const end = tokens.indexOf(eos);
      const wanted = tokens
        .slice(0, end === -1 ? undefined : end)
        .filter((token, i, before) => i === 0 || token !== before[i - 1])
        .filter((token) => token !== blank);
      expect(kept(tokens)).toEqual(wanted);
    }),
    { seed: 1, numRuns: 500 },
  );
});
