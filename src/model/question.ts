/** Questions as the model can read them, and why it cannot read some. */
import { NarvlError } from '../errors.ts';
import { readText } from './text.ts';
import type { Tokenizer } from './tokenizer.ts';

/**
 * A vocabulary has the words of its language whole, and spells those of others in pieces. Of 16,915
 * questions that people asked of photos in English (Visual7W and DAQUAR) 4 have fewer whole words than this share.
 */
const KNOWN_WORDS = 0.5;

/** Fewer words say nothing of their language: they may be one rare name. */
const FEWEST_WORDS = 3;

/**
 * A caller's question in normal form.
 *
 * @param longest tokens that the model reads
 * @throws NarvlError `invalid-argument` if it is no text, has no words, is too long or in a language that
 * the model was not taught: to that it would answer with confidence, and wrong.
 */
export function readQuestion(question: unknown, tokenizer: Tokenizer, longest: number): string {
  const text = readText(question, 'a question');
  const words = text.split(' ');
  if (/(?!\p{Script=Latin})\p{Letter}/u.test(text)) throw foreign(text, 'in another script');
  // No word is less than a token.
  const tokens = words.length > longest ? words.length : tokenizer.encode(text).length;
  if (tokens > longest) {
    throw new NarvlError(
      'invalid-argument',
      `The question is too long: expected at most ${longest} tokens, got ${tokens} or more for ` +
        `${words.length} words. Ask it in fewer`,
    );
  }
  const known = words.filter((word, i) => tokenizer.encode(i > 0 ? ` ${word}` : word).length === 1);
  if (words.length < FEWEST_WORDS || known.length >= KNOWN_WORDS * words.length) return text;
  throw foreign(text, `of whose ${words.length} words it knows ${known.length}`);
}

function foreign(text: string, why: string): NarvlError {
  return new NarvlError(
    'invalid-argument',
    `Expected a question in the language that the model was taught, English for those there are, ` +
      `got ${JSON.stringify(text.slice(0, 80))}, ${why}`,
  );
}
