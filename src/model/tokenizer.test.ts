/** The shipped word pieces, beside tokens of a decoder that are none. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Tokenizer } from './tokenizer.ts';

const { buffer } = Uint8Array.from(readFileSync('public/models/narvl-photo/tokenizer.json'));
const { decoder } = JSON.parse(readFileSync('public/models/narvl-photo/manifest.json', 'utf8')) as {
  decoder: { vocabulary: number };
};

// The last of them that have a text, whatever location tokens a model has beside.
const words = Object.keys(
  (JSON.parse(new TextDecoder().decode(buffer)) as { model: { vocab: object } }).model.vocab,
).length;
const tokenizer = new Tokenizer(buffer, words);

test('texts go to tokens and back', () => {
  expect(words).toBeLessThanOrEqual(decoder.vocabulary);
  expect(tokenizer.decode(tokenizer.encode('a dog on a red couch'))).toBe('a dog on a red couch');
});

test('location tokens have no text, alone or among words', () => {
  const [first = 0, ...others] = tokenizer.encode('a dog');
  expect(tokenizer.decode([first, words, ...others, words + 63])).toBe('a dog');
  expect(tokenizer.decode([words, words + 1])).toBe('');
  expect(tokenizer.piece(words)).toBe('');
  expect(tokenizer.piece(words - 1)).not.toBe('');
});

test('a file of more or fewer words is refused', () => {
  for (const other of [words - 1, words + 64]) {
    expect(() => new Tokenizer(buffer, other)).toThrow(
      expect.objectContaining({
        code: 'invalid-model',
        message: `tokenizer.json: expected the decoder's ${other} tokens, got ${words}`,
      }),
    );
  }
});
