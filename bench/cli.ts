/** `npm run bench`: the bench in a headless Chromium, its tables on standard output. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright';
import { createServer } from 'vite';
import { chromiumOptions } from '../e2e/chromium.ts';
import { toMarkdown } from './report.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CACHE = join(ROOT, 'node_modules', `.vite-bench-${process.pid}`);

const usage = `npm run bench -- [--rounds 11] [--paper] [--json FILE]
  --rounds  times that each contender is timed
  --paper   the paper's base size too: random weights, slow on a software adapter
  --json    also write the report, which bench.html opens, to a file`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '11' },
      paper: { type: 'boolean', default: false },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const rounds = Number(values.rounds);
  if (values.help || !Number.isInteger(rounds) || rounds < 1) {
    console.error(usage);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const options = chromiumOptions();
  const server = await createServer({
    root: ROOT,
    cacheDir: CACHE,
    logLevel: 'error',
    server: { port: 0, host: 'localhost', hmr: false, watch: null },
  });
  await server.listen();
  const browser = await chromium.launch({
    ...options,
    // Else timestamps are rounded to 0.1 ms.
    args: [...options.args, '--enable-webgpu-developer-features'],
  });
  try {
    const page = await browser.newPage();
    const base = server.resolvedUrls?.local[0];
    if (!base) throw new Error('The local server has no address');
    await page.exposeFunction('narvlProgress', (what: string) => console.error(what));
    await page.goto(new URL('bench.html', base).href);
    await page.waitForFunction(() => 'narvlBench' in globalThis);
    const report = await page.evaluate(
      (wanted) => {
        const { narvlBench, narvlProgress } = globalThis as typeof globalThis & {
          narvlProgress(what: string): void;
        };
        return narvlBench.run(wanted, narvlProgress);
      },
      { rounds, paper: values.paper },
    );
    console.log(toMarkdown(report));
    if (values.json) await writeFile(values.json, `${JSON.stringify(report, null, 2)}\n`);
  } finally {
    await browser.close();
    await server.close();
    await rm(CACHE, { recursive: true, force: true });
  }
}

await main();
