/** Which part of the photo each word looked at, from where its slots did. */
import type { Edges } from '../model/image.ts';
import { WHOLE } from '../model/part.ts';
import type { AlignmentSlot, Attention } from '../protocol.ts';

/** Cells that the photo's features are, the first rows of the memory. */
export type Grid = readonly [rows: number, columns: number];

/**
 * The attention of each word piece: the mean over the slot that brought it and those that merged
 * into it, of what went to the photo.
 *
 * @param attention [slots, memory]
 * @param edges of what the grid covers
 */
export function explain(
  attention: Float32Array,
  slots: readonly AlignmentSlot[],
  [rows, columns]: Grid,
  edges: Edges = WHOLE,
): Attention {
  const memory = attention.length / slots.length;
  const words: Float64Array[] = [];
  for (const [i, { role }] of slots.entries()) {
    if (role === 'word') words.push(new Float64Array(rows * columns));
    const word = words.at(-1);
    if (!word || (role !== 'word' && role !== 'repeat')) continue;
    for (let cell = 0; cell < word.length; cell++) {
      word[cell] = (word[cell] ?? 0) + (attention[i * memory + cell] ?? 0);
    }
  }
  return { rows, columns, edges, tokens: words.map(shares) };
}

/** Parts of 1, however much went to the prompt. */
function shares(cells: Float64Array): number[] {
  const total = cells.reduce((sum, cell) => sum + cell, 0);
  return Array.from(cells, (cell) => (total > 0 ? cell / total : 1 / cells.length));
}
