/** Words of pieces. */
import { expect, test } from 'vitest';
import { wordsOf } from './words.ts';

const pieces = (...texts: string[]) => texts.map((text) => ({ text }));

test('begin with a space, or the text', () => {
  expect(wordsOf(pieces(' a', ' gold', 'fish', ',', ' swims'))).toEqual([
    { text: 'a', pieces: [0] },
    { text: 'goldfish,', pieces: [1, 2, 3] },
    { text: 'swims', pieces: [4] },
  ]);
  expect(wordsOf(pieces('un', 'even'))).toEqual([{ text: 'uneven', pieces: [0, 1] }]);
  expect(wordsOf([])).toEqual([]);
});
