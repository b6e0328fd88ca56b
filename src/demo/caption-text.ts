/** The caption as text, made of the pieces that the slots brought so that each can travel. */
import type { TextToken } from '../index.ts';
import { make } from './dom.ts';

/** A caption's element with the element of each token, in order. */
export interface CaptionText {
  readonly element: HTMLParagraphElement;
  readonly pieces: readonly HTMLElement[];
}

/** Word pieces are grouped into words, so that a line never breaks inside one. */
export function createCaptionText(tokens: readonly TextToken[]): CaptionText {
  const element = make('p', { class: 'caption' });
  if (tokens.length === 0) {
    element.classList.add('caption-empty');
    element.append('All slots stayed blank: the model has no words for this photo.');
  }
  let word: HTMLElement | undefined;
  const pieces = tokens.map(({ text }) => {
    const piece = make('span', { class: 'piece' }, text.trim());
    if (!word || text.startsWith(' ')) {
      word = make('span', { class: 'word' });
      // The space stands between the words: inside an inline block it would collapse.
      element.append(...(element.hasChildNodes() ? [' '] : []), word);
    }
    word.append(piece);
    return piece;
  });
  return { element, pieces };
}
