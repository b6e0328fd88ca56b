/** The caption as text, made of the pieces that the slots brought so that each can travel. */
import type { Caption } from '../index.ts';
import { make } from './dom.ts';

/** A caption's element with the elements of its words and of each token, in order. */
export interface CaptionText {
  readonly element: HTMLParagraphElement;
  readonly words: readonly HTMLElement[];
  readonly pieces: readonly HTMLElement[];
}

/** Word pieces are grouped into words, so that a line never breaks inside one. */
export function createCaptionText({ tokens, words: parts }: Caption): CaptionText {
  const pieces = tokens.map(({ text }) => make('span', { class: 'piece' }, text.trim()));
  const words = parts.map((word) =>
    make('span', { class: 'word' }, ...word.pieces.flatMap((piece) => pieces[piece] ?? [])),
  );
  const element = make('p', { class: 'caption' });
  if (words.length === 0) {
    element.classList.add('caption-empty');
    element.append('All slots stayed blank: the model has no words for this photo.');
  }
  // The space stands between the words: inside an inline block it would collapse.
  element.append(...words.flatMap((word, i) => (i > 0 ? [' ', word] : [word])));
  return { element, words, pieces };
}
