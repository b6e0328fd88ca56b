/** An isolated page may have threads: whether they are faster is tried on the first visit, and remembered. */
import { expect, test } from '@playwright/test';
import { preview } from 'vite';

const port = 5191;
const isolation = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

test('one and several threads are tried once, and what was faster is kept', async ({ page }) => {
  const server = await preview({ preview: { port, strictPort: true, headers: isolation } });
  try {
    const tried: boolean[] = [];
    for (let visit = 0; visit < 2; visit++) {
      await page.goto(`http://localhost:${port}/load.html?encoder=wasm&decoder=wasm`);
      await page.waitForFunction(() => 'narvlVisit' in globalThis);
      const { times, where } = await page.evaluate(() => globalThis.narvlVisit);
      expect(where).toContain('encoder wasm, decoder wasm');
      tried.push(times.tune > 0);
    }
    expect(tried).toEqual([true, false]);
    const { kept, most } = await page.evaluate(async () => {
      const cache = await caches.open('narvl-tunings');
      const kept = await Promise.all(
        (await cache.keys()).map(async (key) => (await cache.match(key))?.text()),
      );
      return { kept, most: Math.min(4, navigator.hardwareConcurrency) };
    });
    expect(kept).toHaveLength(1);
    expect(['1', String(most)]).toContain(kept[0]);
  } finally {
    await server.close();
  }
});

test('a page that is not isolated tries nothing', async ({ page }) => {
  await page.goto('./load.html?encoder=wasm&decoder=wasm');
  await page.waitForFunction(() => 'narvlVisit' in globalThis);
  const { times } = await page.evaluate(() => globalThis.narvlVisit);
  expect(times.tune).toBe(0);
  expect(await page.evaluate(() => caches.has('narvl-tunings'))).toBe(false);
});
