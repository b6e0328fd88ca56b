/** The tokens that a set of texts is made of: all that a decoder has to know to say how likely each is. */
import type { DecoderShape } from './decoder.ts';

/** Texts that say which columns of a table their words are in. */
export interface Columns {
  /** Token of each column, none twice; blank and EOS are the first two. */
  readonly tokens: Uint32Array;
  /** Of each text, the column of each word. */
  readonly texts: readonly (readonly number[])[];
}

/** A column for every token of the texts. */
export function columnsOf(
  texts: readonly (readonly number[])[],
  { blank, eos }: Pick<DecoderShape, 'blank' | 'eos'>,
): Columns {
  const columns = new Map([blank, eos].map((token, column) => [token, column]));
  const columnOf = (token: number): number => {
    const column = columns.get(token) ?? columns.size;
    columns.set(token, column);
    return column;
  };
  const inColumns = texts.map((text) => text.map(columnOf));
  return { tokens: Uint32Array.from(columns.keys()), texts: inColumns };
}
