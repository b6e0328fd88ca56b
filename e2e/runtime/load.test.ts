/** Two hundred calls at once, a third of them given up: each settles, and the others in their order. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Narvl } from '../../src/index.ts';
import { seededRandom } from '../../src/testing/random.ts';
import { jpeg } from './images.ts';

const CALLS = 200;

let narvl: Narvl;

beforeAll(async () => {
  narvl = await Narvl.load('/models/narvl-photo/');
});

afterAll(() => narvl.dispose());

it('all settle, aborted or answered, and in order', async () => {
  const random = seededRandom(200);
  const files = await Promise.all([1, 2, 3].map((seed) => jpeg(120, 90, seed)));
  const looks = await Promise.all(files.map((file) => narvl.look(file)));
  const expected: string[] = [];
  for (const look of looks) expected.push((await look.answer('what is this?')).text);

  const settledInOrder: number[] = [];
  let aborted = 0;
  const calls = Array.from({ length: CALLS }, async (_, i) => {
    const controller = new AbortController();
    const { signal } = controller;
    const given = i % 3 === 0;
    if (given) setTimeout(() => controller.abort(), random() * 2000);
    try {
      const answer = await looks[i % looks.length]?.answer('what is this?', { signal });
      expect(answer?.text).toBe(expected[i % looks.length]);
      settledInOrder.push(i);
    } catch (error) {
      expect(given).toBe(true);
      expect(error).toMatchObject({ name: 'NarvlError', code: 'aborted' });
      aborted++;
    }
  });
  await Promise.all(calls);
  expect(settledInOrder).toEqual([...settledInOrder].sort((a, b) => a - b));
  expect(settledInOrder.length + aborted).toBe(CALLS);
  expect(aborted).toBeGreaterThan(0);
  for (const look of looks) look.dispose();
});
