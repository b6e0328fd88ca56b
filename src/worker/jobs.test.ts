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
  const third = jobs.run(3, work('third'));
  await sleep(5);
  jobs.abort(1);
  await Promise.allSettled([first, second, third]);
  expect(events).toEqual([
    'first starts',
    'first ends',
    'second starts',
    'second ends',
    'third starts',
    'third ends',
  ]);
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

test('what is more urgent goes first, in the order of its kind, and interrupts nothing', async () => {
  const jobs = new Jobs();
  const begun: string[] = [];
  const work = (name: string) => async () => {
    begun.push(name);
    await sleep(5);
  };
  await Promise.all([
    jobs.run(1, work('the one at work'), 'low'),
    jobs.run(2, work('low 1'), 'low'),
    jobs.run(3, work('low 2'), 'low'),
    jobs.run(4, work('normal 1')),
    jobs.run(5, work('high 1'), 'high'),
    jobs.run(6, work('normal 2'), 'normal'),
    jobs.run(7, work('high 2'), 'high'),
    jobs.next(work('memory freed')),
  ]);
  expect(begun).toEqual([
    'the one at work',
    'memory freed',
    'high 1',
    'high 2',
    'normal 1',
    'normal 2',
    'low 1',
    'low 2',
  ]);
});

test('an urgent job that was aborted before its turn holds up nobody', async () => {
  const jobs = new Jobs();
  const { events, work } = recorder();
  const running = jobs.run(1, work('first'));
  const low = jobs.run(2, work('low'), 'low');
  const high = jobs.run(3, work('high'), 'high');
  jobs.abort(3);
  await expect(high).rejects.toMatchObject({ name: 'AbortError' });
  await expect(Promise.all([running, low])).resolves.toEqual(['first', 'low']);
  expect(events).toEqual(['first starts', 'first ends', 'low starts', 'low ends']);
});
