import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Jobs } from './jobs.ts';

/** Work that lasts a while whoever waits for it, as a call of onnxruntime does. */
function recorder() {
  const events: string[] = [];
  const work = (name: string) => async () => {
    events.push(`${name} starts`);
    await sleep(20);
    events.push(`${name} ends`);
    return name;
  };
  return { events, work };
}

test('a job starts when the one before it has ended, though that was aborted on its way', async () => {
  const jobs = new Jobs();
  const { events, work } = recorder();
  const first = jobs.run(1, work('first'));
  const second = jobs.run(2, work('second'));
  const freed = jobs.add(() => events.push('forget'));
  await sleep(5);
  jobs.abort(1);
  await Promise.allSettled([first, second, freed]);
  expect(events).toEqual(['first starts', 'first ends', 'second starts', 'second ends', 'forget']);
});

test('a running job hears of its abort', async () => {
  const jobs = new Jobs();
  const first = jobs.run(1, async (signal) => {
    await sleep(20);
    signal.throwIfAborted();
  });
  await sleep(5);
  jobs.abort(1);
  await expect(first).rejects.toMatchObject({ name: 'AbortError' });
});

test('a job that was aborted before its turn is not begun, and the next one is', async () => {
  const jobs = new Jobs();
  const { events, work } = recorder();
  const first = jobs.run(1, work('first'));
  const second = jobs.run(2, work('second'));
  const third = jobs.run(3, work('third'));
  jobs.abort(2);
  await expect(second).rejects.toMatchObject({ name: 'AbortError' });
  await expect(Promise.all([first, third])).resolves.toEqual(['first', 'third']);
  expect(events).toEqual(['first starts', 'first ends', 'third starts', 'third ends']);
});

test('a job that fails is its own, and aborting one that has ended does nothing', async () => {
  const jobs = new Jobs();
  const failing = jobs.run(1, () => Promise.reject(new Error('broken')));
  await expect(failing).rejects.toThrow('broken');
  jobs.abort(1);
  await expect(jobs.run(1, () => Promise.resolve('well'))).resolves.toBe('well');
});
