/** Three losses within a minute are too many, and no others. */
import { expect, test } from 'vitest';
import { NarvlError } from '../errors.ts';
import { Losses } from './losses.ts';

const error = new NarvlError('device-lost', 'the GPU device was lost');

test('the third loss within a minute says why the GPU is given up', () => {
  const losses = new Losses();
  expect(losses.count(error, 0)).toBeUndefined();
  expect(losses.count(error, 30_000)).toBeUndefined();
  expect(losses.count(error, 59_999)).toMatch(/^3 workers.*60 seconds.*the GPU device was lost$/);
});

test('losses that lie further apart are forgotten', () => {
  const losses = new Losses();
  for (let minute = 0; minute < 10; minute++) {
    expect(losses.count(error, minute * 60_000)).toBeUndefined();
    expect(losses.count(error, minute * 60_000 + 1)).toBeUndefined();
  }
});
