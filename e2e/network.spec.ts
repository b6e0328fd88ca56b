/**
 * What a first visit downloads, by page, worker and service worker together, as the server sees it: on
 * WebGPU nothing of onnxruntime, without it nothing else runs the graphs.
 */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { expect, test } from '@playwright/test';
import { preview } from 'vite';
import { cards, expectCaption, patience, ready } from './demo-page.ts';

const port = 5190;
const address = `http://localhost:${port}/`;
const runtime = /\/ort[.-][^/]*\.(m?js|wasm)$/;

/** Bytes as gzip, beside the model, and beside the photographs to try, which are compressed already. */
const MOST = 500_000;

test.use({ serviceWorkers: 'allow' });

/** Serves the built page, and tells the path of each file that it sent. */
async function serve(sent: string[]) {
  const server = await preview({ preview: { port, strictPort: true } });
  server.httpServer.on('request', (request, response) => {
    const { pathname } = new URL(request.url ?? '', address);
    response.on('finish', () => {
      if (response.statusCode === 200) sent.push(pathname);
    });
  });
  return server;
}

const gzipped = (path: string) =>
  gzipSync(readFileSync(`site${path === '/' ? '/index.html' : path}`)).length;

for (const [encoder, fetched] of [
  ['webgpu', false],
  ['wasm', true],
] as const) {
  test(`onnxruntime is ${fetched ? '' : 'not '}fetched with vision on ${encoder}`, async ({
    page,
  }) => {
    const sent: string[] = [];
    const server = await serve(sent);
    try {
      await page.goto(`${address}?encoder=${encoder}`);
      await ready(page);
      await page.locator('#samples').getByRole('button').first().click();
      await expectCaption(cards(page).first());
      await expect(page.locator('#offline')).toBeVisible(patience);
    } finally {
      await server.close();
    }
    expect(sent).toContain('/service-worker.js');
    expect(sent).toContain('/models/narvl-photo/decoder.safetensors');
    expect(sent.some((path) => runtime.test(path))).toBe(fetched);
    const beside = sent.filter((path) => !/^\/models\/|\.jpg$/.test(path));
    const bytes = beside.reduce((sum, path) => sum + gzipped(path), 0);
    console.log(`vision on ${encoder}: ${bytes} bytes as gzip beside model and photographs`);
    if (!fetched) expect(bytes).toBeLessThanOrEqual(MOST);
    else expect(bytes).toBeGreaterThan(MOST);
    if (fetched) return; // e2e/offline.spec.ts

    // What was used is there without the server, too.
    await page.goto('about:blank');
    await page.goto(`${address}?encoder=${encoder}`);
    await ready(page);
    await page.locator('#samples').getByRole('button').first().click();
    const card = cards(page).first();
    await expectCaption(card);
    const account = card.getByRole('region', { name: 'Time and device' });
    await expect(account.getByRole('term').filter({ hasText: 'in one submit' })).toBeVisible();
    await expect(account.getByRole('term').filter({ hasText: 'Vision' })).toHaveCount(0);
    const keptRuntime = await page.evaluate(async () => {
      const caught: string[] = [];
      for (const name of await caches.keys()) {
        const urls = (await (await caches.open(name)).keys()).map(({ url }) => url);
        caught.push(...urls.filter((url) => /\/ort[.-]/.test(url)));
      }
      return caught;
    });
    expect(keptRuntime).toEqual([]);
  });
}
