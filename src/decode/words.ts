/** Word pieces by the words that they make up. */

/** A word of a text. */
export interface Word {
  readonly text: string;
  /** Indices of its tokens. */
  readonly pieces: readonly number[];
}

/** A piece with a space before it begins a word. */
export function wordsOf(tokens: readonly { readonly text: string }[]): Word[] {
  const words: { text: string; pieces: number[] }[] = [];
  for (const [i, { text }] of tokens.entries()) {
    const word = words.at(-1);
    if (word && !text.startsWith(' ')) {
      word.text += text;
      word.pieces.push(i);
    } else {
      words.push({ text: text.trim(), pieces: [i] });
    }
  }
  return words;
}
