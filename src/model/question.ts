/** A question as the model was taught to read it; the twin of `normalise` in training/formats.py. */
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

/**
 * A caller's question in normal form.
 * @throws NarvlError `invalid-argument` if it is no text, a far too long one, or has no words.
 */
export function readQuestion(question: unknown): string {
  if (typeof question !== 'string') {
    throw new NarvlError(
      'invalid-argument',
      `Expected a question as text, got ${question === null ? 'null' : typeof question}`,
    );
  }
  if (question.length > MOST_CHARACTERS) {
    throw new NarvlError(
      'invalid-argument',
      `Expected a question of at most ${MOST_CHARACTERS} characters, got ${question.length}`,
    );
  }
  const normal = normalise(question);
  if (normal !== '') return normal;
  throw new NarvlError(
    'invalid-argument',
    `Expected a question with words in it, got ${JSON.stringify(question.slice(0, 80))}`,
  );
}
