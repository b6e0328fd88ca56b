/** A text's probability against every path written out. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { anyPosteriors, blank, certain, eos, everyPath } from '../testing/posteriors.ts';
import { ofPosteriors } from './emissions.ts';
import { textLogProb } from './likelihood.ts';

test('is the sum over the paths that collapse to it, and 1 over all texts', () => {
  fc.assert(
    fc.property(anyPosteriors(4), (posteriors) => {
      const expected = new Map<string, { text: readonly number[]; probability: number }>();
      for (const { text, logProb } of everyPath(posteriors)) {
        const known = expected.get(text.join(' '))?.probability ?? 0;
        expected.set(text.join(' '), { text, probability: known + Math.exp(logProb) });
      }
      let total = 0;
      for (const { text, probability } of expected.values()) {
        const found = Math.exp(textLogProb(ofPosteriors(posteriors), text, { blank, eos }));
        expect(found).toBeCloseTo(probability, 9);
        total += found;
      }
      expect(total).toBeCloseTo(1, 9);
    }),
    { numRuns: 50 },
  );
});

test.each([
  ['too long', [3, 4, 3]],
  ['not merged where no blank fits between', [3, 3]],
  ['of a token that no slot has', [9]],
])('is 0 if it is %s', (_, text) => {
  expect(textLogProb(ofPosteriors(certain([3, 4])), text, { blank, eos })).toBe(-Infinity);
});
