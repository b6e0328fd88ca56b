import { expect, test } from 'vitest';
import { questionOf, thingOf, waysOf } from './asking.ts';
import { placeOf } from './place.ts';

test.each([
  ['Where is the dog?', 'the dog'],
  ['where are  the two dogs ?', 'the two dogs'],
  ['Where’s the dog', 'the dog'],
  ['the dog on the left', 'the dog on the left'],
  ['a sign that says where is it', 'a sign that says where is it'],
])('%s asks for %s', (text, thing) => {
  expect(thingOf(text)).toBe(thing);
});

test('what was asked reads as a question or as it was said', () => {
  expect(questionOf({ kind: 'locate', text: 'the dog' })).toBe('Where is the dog?');
  expect(questionOf({ kind: 'entail', text: 'A dog runs.' })).toBe('A dog runs.');
});

test('the ways of asking are those of the model', () => {
  const none = { answers: false, locates: false, entails: false };
  expect(waysOf(none)).toEqual([]);
  expect(waysOf({ ...none, entails: true, answers: true })).toEqual(['answer', 'entail']);
});

test.each([
  [[0, 0, 0.5, 0.5], 'At the top left, 25% of the photo'],
  [[0.25, 0.25, 0.75, 0.75], 'In the middle, 25% of the photo'],
  [[0.8, 0, 1, 1], 'At the right, 20% of the photo'],
  [[0, 0.9, 1, 1], 'At the bottom, 10% of the photo'],
  [[0.4, 0.1, 0.45, 0.2], 'At the top, less than 1% of the photo'],
] as const)('%j is %s', (edges, words) => {
  expect(placeOf(edges)).toBe(words);
});
