/** `npm run bench`: the bench in a headless Chromium, its tables on standard output. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium } from 'playwright';
import { createServer } from 'vite';
import { chromiumOptions } from '../e2e/chromium.ts';
import { runWith } from './options.ts';
import type { Report } from './report.ts';
import type { Wanted } from './run.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CACHE = join(ROOT, 'node_modules', `.vite-bench-${process.pid}`);

async function bench(wanted: Wanted): Promise<Report> {
  const options = chromiumOptions();
  const server = await createServer({
    root: ROOT,
    cacheDir: CACHE,
    logLevel: 'error',
    server: { port: 0, host: 'localhost', hmr: false, watch: null },
  });
  let browser: Browser | undefined;
  try {
    await server.listen();
    browser = await chromium.launch({
      ...options,
      // Else timestamps are rounded to 0.1 ms.
      args: [...options.args, '--enable-webgpu-developer-features'],
    });
    const page = await browser.newPage();
    const base = server.resolvedUrls?.local[0];
    if (!base) throw new Error('The local server has no address');
    await page.exposeFunction('narvlProgress', (what: string) => console.error(what));
    await page.goto(new URL('bench.html', base).href);
    await page.waitForFunction(() => 'narvlBench' in globalThis);
    return await page.evaluate((asked) => {
      const { narvlBench, narvlProgress } = globalThis as typeof globalThis & {
        narvlProgress(what: string): void;
      };
      return narvlBench.run(asked, narvlProgress);
    }, wanted);
  } finally {
    await browser?.close();
    await server.close();
    await rm(CACHE, { recursive: true, force: true });
  }
}

await runWith(bench);
