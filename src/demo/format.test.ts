/** Numbers as people read them. */
import { expect, it } from 'vitest';
import { isGuess } from '../index.ts';
import { confidence, count, megabytes, milliseconds, percent, sentence } from './format.ts';

it('writes progress in decimal megabytes', () => {
  expect(megabytes(12_345_678, 29_280_752)).toBe('12.3 of 29.3 MB');
});

it('gives short times a decimal and long ones none', () => {
  expect([3.42, 88.2, 2600].map(milliseconds)).toEqual(['3.4 ms', '88 ms', '2,600 ms']);
});

it('writes probabilities as percentages', () => {
  expect(percent(0.926)).toBe('93%');
});

it('says where an answer is more likely wrong than right, and a caption worse than most', () => {
  expect(confidence(0.5, 'answer')).toBe('Confidence 50%');
  expect(confidence(0.45, 'answer')).toBe('Not sure. Confidence 45%');
  expect(confidence(0.45, 'caption')).toBe('Confidence 45%');
  expect(confidence(0.34, 'caption')).toBe('Not sure. Confidence 34%');
});

it('calls a guess what it says that it is not sure of', () => {
  for (const said of ['caption', 'answer'] as const) {
    for (const probability of [0, 0.2, 0.349, 0.35, 0.499, 0.5, 0.9]) {
      const text = confidence(probability, said);
      expect(isGuess(probability, said)).toBe(text.startsWith('Not sure'));
    }
  }
});

it('counts with the right noun', () => {
  expect(count(1, 'submit')).toBe('1 submit');
  expect(count(38, 'dispatch', 'dispatches')).toBe('38 dispatches');
});

it('starts a sentence with a capital', () => {
  expect(sentence('a boat on a river')).toBe('A boat on a river');
  expect(sentence('')).toBe('');
});
