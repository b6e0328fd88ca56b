import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Watchdog } from './watchdog.ts';

const MOST = 1000;

describe('Watchdog', () => {
  let silence: number;
  let dog: Watchdog;

  beforeEach(() => {
    vi.useFakeTimers();
    silence = 0;
    dog = new Watchdog(MOST, () => silence++);
  });
  afterEach(() => vi.useRealTimers());

  const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);

  it('is quiet while there is nothing to do, and after all was answered', async () => {
    await pass(10 * MOST);
    await dog.watch(Promise.resolve('done'));
    await dog.watch(Promise.reject(new Error('failed'))).catch(() => {});
    await pass(10 * MOST);
    expect(silence).toBe(0);
  });

  it('speaks when a job gets no answer', async () => {
    void dog.watch(new Promise(() => {}));
    await pass(MOST - 1);
    expect(silence).toBe(0);
    await pass(1);
    expect(silence).toBe(1);
  });

  it('is not lulled by more jobs, only by signs of life', async () => {
    void dog.watch(new Promise(() => {}));
    await pass(MOST - 1);
    void dog.watch(new Promise(() => {}));
    dog.heard();
    await pass(MOST - 1);
    expect(silence).toBe(0);
    void dog.watch(new Promise(() => {}));
    await pass(1);
    expect(silence).toBe(1);
  });

  it('listens to answers, and goes on while one is owed', async () => {
    void dog.watch(new Promise(() => {}));
    await pass(MOST / 2);
    await dog.watch(Promise.resolve('another job'));
    await pass(MOST - 1);
    expect(silence).toBe(0);
    await pass(1);
    expect(silence).toBe(1);
  });

  it('is quiet once the worker is gone', async () => {
    void dog.watch(new Promise(() => {}));
    dog.stop();
    await pass(10 * MOST);
    expect(silence).toBe(0);
  });
});
