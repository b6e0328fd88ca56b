/** One worker for all elements of a page, given back after the last one has left. */
import { afterEach, expect, it, vi } from 'vitest';
import { NarvlImage } from '../../src/widget/index.ts';
import { MODEL, mount, only, pause, photos, reach } from './page.ts';

afterEach(() => vi.restoreAllMocks());

it('is shared, kept while somebody may come, and given back', async () => {
  const sent = vi.spyOn(Worker.prototype, 'postMessage');
  const ended = vi.spyOn(Worker.prototype, 'terminate');
  const workers = () => new Set(sent.mock.contexts).size;
  const element = `<narvl-image model="${MODEL}" mode="fill" threshold="0"><img src="${photos.cat}" width="200"></narvl-image>`;
  NarvlImage.releaseAfter = 4000;

  mount(element.repeat(3));
  await Promise.all(
    [...document.querySelectorAll('narvl-image')].map((one) => reach(one, 'filled')),
  );
  expect(workers()).toBe(1);

  mount(element); // The first three leave.
  await reach(only('narvl-image'), 'filled');
  expect(workers()).toBe(1);
  await pause(4500);
  expect(ended).not.toHaveBeenCalled();

  mount('');
  await pause(1000);
  expect(ended).not.toHaveBeenCalled();
  await expect.poll(() => ended.mock.contexts.length, { timeout: 10_000 }).toBe(1);

  mount(element);
  await reach(only('narvl-image'), 'filled');
  expect(workers()).toBe(2);
});
