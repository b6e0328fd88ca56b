/** `npm run bench`: the bench in a headless Chromium, its tables on standard output. */
import { type Browser, chromium } from 'playwright';
import { startServer } from '../cli/server.ts';
import { chromiumOptions } from '../e2e/chromium.ts';
import { runLoad } from './load/cli.ts';
import { runWith } from './options.ts';
import type { Report } from './report.ts';
import type { Wanted } from './run.ts';
import { runVision } from './vision.ts';

async function bench(wanted: Wanted): Promise<Report> {
  const options = chromiumOptions();
  const server = await startServer();
  let browser: Browser | undefined;
  try {
    browser = await chromium.launch({
      ...options,
      // Else timestamps are rounded to 0.1 ms.
      args: [...options.args, '--enable-webgpu-developer-features'],
    });
    const page = await browser.newPage();
    await page.exposeFunction('narvlProgress', (what: string) => console.error(what));
    await page.goto(new URL('bench.html', server.url).href);
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
  }
}

if (process.argv.includes('--load')) await runLoad();
else if (process.argv.includes('--vision')) await runVision();
else await runWith(bench);
