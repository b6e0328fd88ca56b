import { describe, expect, test } from 'vitest';
import type { Decoding } from '../model/decoder.ts';
import { labelCandidates, readEntailment } from './entailment.ts';

const specials = { blank: 0, eos: 2 };
const ids = new Map([
  ['yes', [3]],
  ['maybe', [4]],
  ['no', [5]],
]);
const encoder = { encode: (text: string) => ids.get(text) ?? [] };
const candidates = labelCandidates(
  { entailment: 'Yes', neutral: 'maybe', contradiction: 'no.' },
  encoder,
);

/** A pass that scored the labels' texts like this, in their order. */
function scored(...probabilities: readonly number[]): Decoding {
  const tokens = Uint32Array.of(0, 2, 3, 4, 5);
  const table = { tokens, logProbs: Float32Array.from([-3, -3, -1, -1, -1]) };
  const slots = [{ token: 3, logProb: -1, kept: true }];
  return {
    tokens: [3],
    slots,
    scored: { logProbs: Float32Array.from(probabilities, Math.log), table },
  };
}

describe('readEntailment', () => {
  test.each([
    ['entailment', [0.5, 0.2, 0.1]],
    ['neutral', [0.1, 0.4, 0.1]],
    ['contradiction', [0.1, 0.2, 0.3]],
  ] as const)('says %s of what is likeliest, and shares 1 among all', (label, likely) => {
    const found = readEntailment(candidates, scored(...likely), specials, undefined);
    expect(found.label).toBe(label);
    const total = likely[0] + likely[1] + likely[2];
    const { entailment, neutral, contradiction } = found.probabilities;
    expect(entailment).toBeCloseTo(likely[0] / total, 6);
    expect(neutral).toBeCloseTo(likely[1] / total, 6);
    expect(contradiction).toBeCloseTo(likely[2] / total, 6);
  });

  test('shares as it was calibrated', () => {
    const sharing = { weight: 0, floor: 0 };
    const { probabilities } = readEntailment(candidates, scored(0.5, 0.2, 0.1), specials, sharing);
    expect(Object.values(probabilities)).toEqual(
      [1 / 3, 1 / 3, 1 / 3].map((x) => expect.closeTo(x)),
    );
  });
});

test('labels are read in normal form, in their order', () => {
  expect(candidates.tokens).toEqual([[3], [4], [5]]);
});
