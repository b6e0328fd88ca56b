import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { kindOf } from './kind.ts';

test('an object is of its kind in whatever realm it was made', () => {
  const foreign = runInNewContext('new Map()');
  expect(foreign instanceof Map).toBe(false);
  expect(kindOf(foreign)).toBe('Map');
  expect(kindOf(new (class Own extends Blob {})())).toBe('Blob');
  expect(kindOf(new File([], 'x.jpg'))).toBe('File');
});

test('what is no object is written as it is', () => {
  expect([undefined, null, 42, 'x'].map(kindOf)).toEqual(['undefined', 'null', '42', 'x']);
});
