/** The work on a folder, with a writer whose photos take as long as each test wants. */
import { expect, it } from 'vitest';
import { type Caption, NarvlError } from '../../index.ts';
import { Run } from './run.ts';

const photos = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ name: `${i}.jpg`, source: new Blob() }));

/** A run whose writer answers when it is told to, with what was asked of it. */
function createRun() {
  const asked: { name: string; answer(text: string): void; fail(error: unknown): void }[] = [];
  const run = new Run(
    ({ name }, signal) =>
      new Promise<Caption>((resolve, reject) => {
        signal.addEventListener('abort', () => reject(new NarvlError('aborted', 'stopped')));
        const answer = (text: string) => resolve({ text, confidence: 0.5 } as Caption);
        asked.push({ name, answer, fail: reject });
      }),
    () => {},
  );
  return { run, asked, names: () => asked.map(({ name }) => name) };
}

const turn = () => new Promise((resolve) => setTimeout(resolve));

it('has two photos with the writer, however many there are', async () => {
  const { run, asked, names } = createRun();
  run.add(photos(100));
  expect(names()).toEqual(['0.jpg', '1.jpg']);
  asked[1]?.answer('a cat');
  await turn();
  expect(names()).toEqual(['0.jpg', '1.jpg', '2.jpg']);
  expect(run.rows.map(({ state }) => state).slice(0, 4)).toEqual([
    'looking',
    'done',
    'looking',
    'waiting',
  ]);
  expect(run.rows[1]?.text).toBe('A cat');
});

it('goes on with what is added while it works, and after it was done', async () => {
  const { run, asked, names } = createRun();
  run.add(photos(1));
  run.add([{ name: 'more.jpg', source: new Blob() }]);
  for (const photo of asked) photo.answer('a dog');
  await turn();
  expect(run.settled).toBe(2);
  run.add([{ name: 'late.jpg', source: new Blob() }]);
  expect(names()).toEqual(['0.jpg', 'more.jpg', 'late.jpg']);
});

it('stops, keeps what is written, and begins anew what was under way', async () => {
  const { run, asked, names } = createRun();
  run.add(photos(3));
  asked[0]?.answer('a cat');
  await turn();
  run.stop();
  await turn();
  expect(run.rows.map(({ state }) => state)).toEqual(['done', 'waiting', 'waiting']);
  run.resume();
  expect(names()).toEqual(['0.jpg', '1.jpg', '2.jpg', '1.jpg', '2.jpg']);
});

it('never replaces what a person wrote, nor spends time on it', async () => {
  const { run, asked, names } = createRun();
  const rows = run.add(photos(3));
  for (const [i, row] of rows.entries()) {
    if (i !== 1) Object.assign(row, { text: 'My own', edited: true });
  }
  asked[0]?.answer('a cat');
  asked[1]?.answer('a dog');
  await turn();
  expect(names()).toEqual(['0.jpg', '1.jpg']);
  expect(rows.map(({ text }) => text)).toEqual(['My own', 'A dog', 'My own']);
  expect(run.settled).toBe(3);
});

it('tries again what may pass, and lets be what is wrong with a photo', async () => {
  const { run, asked, names } = createRun();
  const rows = run.add(photos(2));
  asked[0]?.fail(new NarvlError('unsupported-image', 'no picture'));
  asked[1]?.fail(new NarvlError('device-lost', 'gone'));
  await turn();
  expect(rows.map(({ state }) => state)).toEqual(['failed', 'failed']);
  expect([run.settled, run.passing]).toEqual([2, 1]);
  run.resume();
  expect(names()).toEqual(['0.jpg', '1.jpg', '1.jpg']);
  expect(rows[1]?.error).toBeUndefined();
});
