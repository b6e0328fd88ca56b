/** Weights that come one after another, and what is told of those that do not. */
import { beforeEach, expect, test } from 'vitest';
import { writeSafetensors } from '../testing/safetensors.ts';
import { ArrivingWeights } from './arriving-weights.ts';

const file = writeSafetensors(
  new Map([
    ['first', { shape: [1], data: Float32Array.of(1) }],
    ['second', { shape: [1], data: Float32Array.of(2) }],
  ]),
);

let controller: ReadableStreamDefaultController<Uint8Array>;
let cancelled: unknown;
let weights: ArrivingWeights;

beforeEach(() => {
  cancelled = undefined;
  const pieces = new ReadableStream<Uint8Array>({
    start: (its) => {
      controller = its;
    },
    cancel: (reason) => {
      cancelled = reason;
    },
  });
  weights = new ArrivingWeights(pieces, file.length);
});

/** What a promise has come to after everything that can happen now. */
async function state(promise: Promise<unknown>): Promise<unknown> {
  await new Promise((resolve) => setTimeout(resolve));
  return Promise.race([promise, Promise.resolve('waiting')]);
}

test('a weight is there before the file is whole, all are once it is said to be good', async () => {
  const [first, second] = [weights.get('first'), weights.get('second')];
  controller.enqueue(file.subarray(0, -4));
  expect(await first).toEqual({ shape: [1], data: Float32Array.of(1) });
  expect(await state(second)).toBe('waiting');
  controller.enqueue(file.subarray(-4));
  expect(await second).toEqual({ shape: [1], data: Float32Array.of(2) });
  const third = weights.get('third');
  expect(await state(weights.all)).toBe('waiting');
  expect(await state(third)).toBe('waiting');
  controller.close();
  expect([...(await weights.all).keys()]).toEqual(['first', 'second']);
  expect(await third).toBeUndefined();
  expect(await weights.get('fourth')).toBeUndefined();
});

test('a download that fails is told to all who wait, and to who asks later', async () => {
  const second = weights.get('second');
  controller.enqueue(file.subarray(0, -4));
  const reason = new Error('broke off');
  controller.error(reason);
  await expect(second).rejects.toBe(reason);
  await expect(weights.all).rejects.toBe(reason);
  await expect(weights.get('third')).rejects.toBe(reason);
});

test('bytes that are no such file end the reading', async () => {
  const first = weights.get('first');
  controller.enqueue(new Uint8Array(file.length).fill(0xff));
  await expect(first).rejects.toMatchObject({ code: 'invalid-model' });
  expect(cancelled).toMatchObject({ code: 'invalid-model' });
});

test('a stream that ends early is no file', async () => {
  controller.enqueue(file.subarray(0, -4));
  controller.close();
  await expect(weights.all).rejects.toMatchObject({ code: 'invalid-model' });
});
