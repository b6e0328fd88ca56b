/** Choosing among texts against every path written out, and what counts as a list of texts. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Decoding } from '../model/decoder.ts';
import { alphabet, anyPosteriors, blank, eos, everyPath } from '../testing/posteriors.ts';
import { choose, readCandidates } from './candidates.ts';
import { ofPosteriors } from './emissions.ts';
import { textLogProb } from './likelihood.ts';

const letters = { encode: (text: string) => [...text].map((letter) => letter.charCodeAt(0)) };

describe('choose', () => {
  test('ranks by exact probability, which is shared among the candidates', () => {
    fc.assert(
      fc.property(anyPosteriors(4), (posteriors) => {
        const emissions = ofPosteriors(posteriors);
        const known = new Map(everyPath(posteriors).map(({ text }) => [text.join(' '), text]));
        const tokens = [...known.values()].filter((text) => text.length > 0);
        const scored = {
          logProbs: tokens.map((text) =>
            textLogProb(emissions, text, { blank, eos }),
          ) as unknown as Float32Array,
          table: {
            tokens: Uint32Array.from(alphabet),
            logProbs: Float32Array.from({ length: 16 }, (_, i) =>
              emissions.logProb(Math.floor(i / 4), alphabet[i % 4] ?? 0),
            ),
          },
        };
        const slots = Array.from({ length: 4 }, (_, slot) => {
          return { ...emissions.likeliest(slot), kept: false };
        });
        const decoding: Decoding = { tokens: [], slots, scored };
        const texts = tokens.map((text) => text.join(' '));
        const found = choose({ texts, tokens }, decoding, { blank, eos });
        const logProbs = found.candidates.map(({ logProb }) => logProb);
        expect(logProbs).toEqual([...scored.logProbs].sort((a, b) => b - a));
        expect(found.candidates.map(({ text }) => text).sort()).toEqual([...texts].sort());
        const sum = found.candidates.reduce((total, { probability }) => total + probability, 0);
        expect(sum).toBeCloseTo(1, 9);
        expect(found.decoding.tokens.join(' ')).toBe(found.candidates[0].text);
        const kept = found.decoding.slots.filter((slot) => slot.kept).map(({ token }) => token);
        expect(kept).toEqual(found.decoding.tokens);
      }),
      { numRuns: 30 },
    );
  });

  test('shares as it was calibrated', () => {
    const table = { tokens: Uint32Array.of(blank, eos, 3), logProbs: Float32Array.of(-2, -2, -1) };
    const slots = [{ token: 3, logProb: -1, kept: true }];
    const scored = { logProbs: Float32Array.of(-1, -3), table };
    const both = { texts: ['a', 'b'], tokens: [[3], [3]] };
    const sharing = { weight: 0.5, floor: 0.2 };
    const decoding = { tokens: [3], slots, scored };
    const { candidates } = choose(both, decoding, { blank, eos }, sharing);
    const share = 1 / (1 + Math.exp(-1));
    expect(candidates[0].probability).toBeCloseTo(0.8 * share + 0.1);
    expect(candidates[1]?.probability).toBeCloseTo(0.8 * (1 - share) + 0.1);
  });

  test('keeps those that no path spells, unless it is all of them', () => {
    const table = { tokens: Uint32Array.of(blank, eos, 3), logProbs: Float32Array.of(-2, -2, -1) };
    const slots = [{ token: 3, logProb: -1, kept: true }];
    const sharing = { weight: 0.5, floor: 0.2 };
    const choices = { texts: ['short', 'long'], tokens: [[3], [3, 3]] };
    const scored = { logProbs: Float32Array.of(-1, -Infinity), table };
    const { candidates } = choose(choices, { tokens: [3], slots, scored }, { blank, eos });
    expect(candidates).toEqual([
      { text: 'short', probability: 1, logProb: -1 },
      { text: 'long', probability: 0, logProb: -Infinity },
    ]);
    const shared = choose(choices, { tokens: [3], slots, scored }, { blank, eos }, sharing);
    expect(shared.candidates.map(({ probability }) => probability)).toEqual([1, 0]);
    const none = { logProbs: Float32Array.of(-Infinity, -Infinity), table };
    expect(() => choose(choices, { tokens: [3], slots, scored: none }, { blank, eos })).toThrow(
      'candidates: expected a text that 1 slots can spell, got none',
    );
  });
});

describe('readCandidates', () => {
  test('keeps the texts, and encodes their normal form', () => {
    expect(readCandidates(['A', ' b. '], letters)).toEqual({
      texts: ['A', ' b. '],
      tokens: [[97], [98]],
    });
    expect(readCandidates(undefined, letters)).toBeUndefined();
  });

  test.each([
    [[], 'candidates: expected a list of 1 to 65535 texts, got 0'],
    ['red', 'candidates: expected a list of 1 to 65535 texts, got string'],
    [new Array(65_536).fill('a'), 'candidates: expected a list of 1 to 65535 texts, got 65536'],
    [['red', 3], 'Expected a candidate as text, got number'],
    [['red', '...'], 'Expected a candidate with words in it, got "..."'],
    [['Red', 'blue', 'red.'], 'candidates: expected no two alike, got "red" twice'],
  ])('refuses %j', (given, message) => {
    expect(() => readCandidates(given, letters)).toThrow(message);
  });
});
