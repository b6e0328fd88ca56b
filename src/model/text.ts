/** Texts as the model was taught to read them; the twin of `normalise` in training/data/formats.py. */
import { NarvlError } from '../errors.ts';

/** No model reads that many, and the time to normalise grows with their square. */
const MOST_CHARACTERS = 1000;

// Python's white space, which is not JavaScript's: it has four separators more and no U+FEFF.
const space = String.raw`[\p{White_Space}\x1c-\x1f]`;
const spaces = new RegExp(`${space}+`, 'gu');
const spaceBefore = new RegExp(`${space}+([.,!?;:'])`, 'gu');
const quotes = /["`]|''/g;
const edges = /^[ .,;:!?\-']+|[ .,;:!?\-']+$/g;

/** Lower case; no quotation marks, underscores, spaces before punctuation or final full stop. */
export function normalise(text: string): string {
  return text
    .toLowerCase()
    .replace(quotes, ' ')
    .replaceAll('’', "'")
    .replaceAll('_', ' ')
    .replace(spaceBefore, '$1')
    .replace(spaces, ' ')
    .replace(edges, '');
}

/** Where a caller's text goes in a task's prompt. */
export const PLACE = '{}';

/** A task's prompt with a caller's text in it. */
export function fillPrompt(prompt: string, text: string): string {
  return prompt.split(PLACE).join(text);
}

/**
 * A caller's text in normal form; `what` is what an error calls it.
 * @throws NarvlError `invalid-argument` if it is no text, a far too long one, or has no words.
 */
export function readText(text: unknown, what: string): string {
  if (typeof text !== 'string') {
    throw new NarvlError(
      'invalid-argument',
      `Expected ${what} as text, got ${text === null ? 'null' : typeof text}`,
    );
  }
  if (text.length > MOST_CHARACTERS) {
    throw new NarvlError(
      'invalid-argument',
      `Expected ${what} of at most ${MOST_CHARACTERS} characters, got ${text.length}`,
    );
  }
  const normal = normalise(text);
  if (normal !== '') return normal;
  throw new NarvlError(
    'invalid-argument',
    `Expected ${what} with words in it, got ${JSON.stringify(text.slice(0, 80))}`,
  );
}
