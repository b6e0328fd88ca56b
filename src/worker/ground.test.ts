/** White art is laid on black, everything else is left as it is. */
import { expect, test } from 'vitest';
import { layOnGround } from './ground.ts';

const image = (...pixels: number[][]) => ({
  data: Uint8ClampedArray.from(pixels.flat()),
  width: pixels.length,
  height: 1,
});
const nothing = [0, 0, 0, 0];

test.each([
  ['dark art', [[0, 0, 0, 255], nothing]],
  ['coloured art', [[230, 40, 40, 255], nothing]],
  ['white art with black beside it', [[255, 255, 255, 255], [0, 0, 0, 255], nothing]],
  ['a white page without transparency', [[255, 255, 255, 255]]],
  ['nothing at all', [nothing]],
])('%s stays as it is', (_, pixels) => {
  const given = image(...pixels);
  expect(layOnGround(given)).toBe(given);
});

test('white art is on black, its soft edges too', () => {
  const art = image([255, 255, 255, 255], [250, 250, 250, 51], nothing);
  const before = [...art.data];
  const { data, width, height } = layOnGround(art);
  expect([width, height]).toEqual([3, 1]);
  expect([...data]).toEqual([255, 255, 255, 255, 50, 50, 50, 255, 0, 0, 0, 255]);
  expect([...art.data]).toEqual(before);
});
