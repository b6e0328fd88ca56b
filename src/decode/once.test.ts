import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Once } from './once.ts';
import type { LanguageModel } from './prefix-beam.ts';

const [bos, eos] = [1, 2];
/** 4 and 5 begin words, of which 5 is free; 7 goes on with one. */
const begins = new Set([4, 5]);
const model: LanguageModel = { logProb: (history, token) => -history.length - token / 10 };
const once = new Once(model, { cost: 3, free: [5] }, begins, eos);
const cost = (text: readonly number[], token: number) =>
  model.logProb([bos, ...text], token) - once.logProb([bos, ...text], token);

describe('Once', () => {
  test.each<[string, number[], number, boolean]>([
    ['a word again, and the end', [4, 5, 4], eos, true],
    ['a word again, and the next', [4, 5, 4], 5, true],
    ['what may become another word', [4, 5, 4], 7, false],
    ['what did', [4, 5, 4, 7], eos, false],
    ['what a longer one begins with', [4, 7, 5, 4], eos, false],
    ['a word of two pieces', [4, 7, 4, 7], eos, true],
    ['neighbours', [4, 4], eos, true],
    ['a free word', [5, 4, 5], eos, false],
    ['a single word', [4], eos, false],
    ['no word', [], eos, false],
    ['what was paid for where it ended', [4, 5, 4, 5], eos, false],
  ])('%s', (_, text, token, costs) => {
    expect(cost(text, token)).toBeCloseTo(costs ? 3 : 0);
  });

  test('a whole text pays once for each content word beyond the first of its kind', () => {
    const word = fc.constantFrom([4], [4, 7], [4, 7, 7], [5], [5, 7]);
    fc.assert(
      fc.property(fc.array(word, { maxLength: 8 }), (words) => {
        const text = [...words.flat(), eos];
        const paid = text.reduce((sum, token, i) => sum + cost(text.slice(0, i), token), 0);
        const content = words.map((one) => one.join()).filter((one) => one !== '5');
        expect(paid).toBeCloseTo(3 * (content.length - new Set(content).size));
      }),
    );
  });
});
