/** The alignment against every path written out. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { collapse } from '../reference/collapse.ts';
import { anyPosteriors, blank, certain, eos, everyPath } from '../testing/posteriors.ts';
import { bestAlignment } from './align.ts';
import { ofPosteriors } from './emissions.ts';

describe('bestAlignment', () => {
  test('is the likeliest of all paths that collapse to the text', () => {
    fc.assert(
      fc.property(anyPosteriors(4), fc.nat(), (posteriors, choice) => {
        const paths = everyPath(posteriors);
        const { text } = paths[choice % paths.length] ?? { text: [] };
        const best = paths
          .filter((path) => path.text.join(' ') === text.join(' '))
          .reduce((a, b) => (b.logProb > a.logProb ? b : a));
        const slots = bestAlignment(ofPosteriors(posteriors), text, { blank, eos });
        const logProb = slots.reduce((sum, slot) => sum + slot.logProb, 0);
        expect(logProb).toBeCloseTo(best.logProb, 9);
      }),
      { numRuns: 50 },
    );
  });

  test('keeps the slots that the collapse keeps', () => {
    fc.assert(
      fc.property(anyPosteriors(4), fc.nat(), (posteriors, choice) => {
        const paths = everyPath(posteriors);
        const { text } = paths[choice % paths.length] ?? { text: [] };
        const slots = bestAlignment(ofPosteriors(posteriors), text, { blank, eos });
        const tokens = slots.map((slot) => slot.token);
        expect(slots.map((slot) => slot.kept)).toEqual(collapse(tokens, blank, eos));
        expect(tokens.filter((_, slot) => slots[slot]?.kept)).toEqual(text);
      }),
      { numRuns: 50 },
    );
  });

  test('refuses a text that no path spells', () => {
    const posteriors = certain([3, 4]);
    expect(() => bestAlignment(ofPosteriors(posteriors), [3, 3], { blank, eos })).toThrow(
      /expected a text .* 3 3/,
    );
    expect(() => bestAlignment(ofPosteriors(posteriors), [9], { blank, eos })).toThrow(RangeError);
  });
});
