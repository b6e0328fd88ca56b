import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { NarvlError } from '../errors.ts';
import { Ending } from './ending.ts';

const over = new NarvlError('disposed', 'over');

describe('Ending', () => {
  it('lets through what comes before the end', async () => {
    const ending = new Ending();
    await expect(ending.before(Promise.resolve(1))).resolves.toBe(1);
    await expect(ending.before(Promise.reject(new Error('own')))).rejects.toThrow('own');
    expect(ending.error).toBeUndefined();
  });

  it('rejects what waits and what comes later, with the first error', async () => {
    const ending = new Ending();
    const waiting = ending.before(new Promise(() => {}));
    ending.end(over);
    ending.end(new NarvlError('aborted', 'later'));
    await expect(waiting).rejects.toBe(over);
    await expect(ending.before(Promise.resolve(1))).rejects.toBe(over);
    await expect(ending.before(Promise.reject(new Error('own')))).rejects.toBe(over);
    expect(ending.error).toBe(over);
  });

  it('keeps no result of a call that is over', async () => {
    setFlagsFromString('--expose-gc');
    const collect: () => void = runInNewContext('gc');
    const ending = new Ending();
    const results: WeakRef<object>[] = [];
    await (async () => {
      const result = { large: new Uint8Array(1000) };
      results.push(new WeakRef(result));
      await ending.before(Promise.resolve(result));
    })();
    await new Promise((resolve) => setTimeout(resolve, 10));
    collect();
    expect(results[0]?.deref()).toBeUndefined();
    ending.end(over);
  });
});
