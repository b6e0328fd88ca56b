/** A word's attention: of its own slots, of the photo alone, and whole. */
import { expect, test } from 'vitest';
import type { AlignmentSlot, SlotRole } from '../protocol.ts';
import { explain } from './explain.ts';

const slots = (...roles: SlotRole[]): AlignmentSlot[] =>
  roles.map((role) => ({ id: 5, text: ' x', probability: 1, role }));

test('is the mean over the slots that merged into the word, of what went to the photo', () => {
  const attention = Float32Array.of(
    ...[0.5, 0, 0, 0, 0.5], // the last is the prompt's
    ...[0, 0.25, 0.25, 0, 0.5],
    ...[1, 0, 0, 0, 0],
    ...[0, 0, 0, 0.1, 0.9],
    ...[0, 1, 0, 0, 0],
  );
  const found = explain(attention, slots('word', 'repeat', 'blank', 'word', 'end'), [2, 2]);
  expect(found).toMatchObject({ rows: 2, columns: 2 });
  expect(found.tokens).toEqual([
    [0.5, 0.25, 0.25, 0],
    [0, 0, 0, 1],
  ]);
});

test('is even where nothing went to the photo, and none where there is no word', () => {
  const attention = Float32Array.of(0, 0, 1, 0.5, 0.5, 0);
  expect(explain(attention, slots('word', 'blank'), [1, 2]).tokens).toEqual([[0.5, 0.5]]);
  expect(explain(attention, slots('blank', 'end'), [1, 2]).tokens).toEqual([]);
});
