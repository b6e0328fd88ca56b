/** Questions that the shipped model can read, and those that it would answer wrongly. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NarvlError } from '../errors.ts';
import { parseManifest, wordCount } from './manifest.ts';
import { readQuestion } from './question.ts';
import { Tokenizer } from './tokenizer.ts';

const folder = new URL('../../public/models/narvl-photo/', import.meta.url);
const manifest = parseManifest(readFileSync(new URL('manifest.json', folder), 'utf8'));
const tokenizer = new Tokenizer(
  new Uint8Array(readFileSync(new URL('tokenizer.json', folder))).buffer,
  wordCount(manifest),
);
const read = (question: unknown) => readQuestion(question, tokenizer, manifest.prompt.length);

describe('readQuestion', () => {
  it.each([
    ['How many zebras are there?', 'how many zebras are there'],
    ['HOW MANY ZEBRAS ARE THERE', 'how many zebras are there'],
    ['how manny zebras r there', 'how manny zebras r there'],
    ["what's on the table", "what's on the table"],
    ['hydrant?', 'hydrant'],
    ['Is it a café?', 'is it a café'],
  ])('reads %j', (question, normal) => {
    expect(read(question)).toBe(normal);
  });

  it.each([
    ['   ', /with words in it/],
    [
      `${'why is it so '.repeat(7)}constantinopolitan unspellable`,
      /at most 32 tokens, got 4\d or more for 30 words/,
    ],
    [
      'why is it so '.repeat(50),
      /too long: expected at most 32 tokens, got 200 or more for 200 words/,
    ],
    ['Wie viele Zebras sind auf dem Bild?', /English.*of whose 7 words it knows [123]$/],
    ['Welche Farbe hat der Hydrant?', /English/],
    ['combien de zèbres y a-t-il', /English/],
    ['シマウマは何頭いますか', /English.*in another script$/],
    ['сколько зебр', /English/],
    ['كم عدد الحمير', /English/],
    ['😀 🐶 🐱', /English/],
  ])('refuses %j in a sentence', (question, message) => {
    expect(() => read(question)).toThrow(
      expect.objectContaining({
        code: 'invalid-argument',
        message: expect.stringMatching(message),
      }),
    );
  });

  it('gives whatever is no question a typed error', () => {
    const anything = fc.oneof(
      fc.anything(),
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.string({ unit: fc.constantFrom('\u202e', '\u2066', '\0', '\ud800', '\ufeff', 'a', ' ') }),
    );
    fc.assert(
      fc.property(anything, (question) => {
        try {
          expect(typeof read(question)).toBe('string');
        } catch (error) {
          expect(error).toBeInstanceOf(NarvlError);
          expect(error).toMatchObject({ code: 'invalid-argument' });
        }
      }),
      { seed: 23, numRuns: 60 },
    );
  });
});
