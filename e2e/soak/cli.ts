/**
 * `npm run soak -- --calls 5000`: captions, answers and looks of mixed sizes, a fifth given up under way, on one
 * model in Chromium. Exits with 1 if a call failed or said something else than alone, if GPU buffers are more
 * at the end than at the start, or a heap has grown by more than a tenth.
 */
import { parseArgs } from 'node:util';
import { chromium } from 'playwright';
import { startServer } from '../../cli/server.ts';
import { chromiumOptions } from '../chromium.ts';
import { Heaps } from './heap.ts';

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '5000' },
    seed: { type: 'string', default: '1' },
    /** Calls between two looks at the memory. */
    every: { type: 'string', default: '250' },
  },
});
const [calls, seed, every] = [values.calls, values.seed, values.every].map(Number) as [
  number,
  number,
  number,
];

/** Growth of a heap that is no leak: caches of the engine's own. */
const GROWTH = 1.1;

const browser = await chromium.launch(chromiumOptions());
const server = await startServer();
try {
  const page = await browser.newPage();
  const heaps = await Heaps.of(page);
  await page.goto(new URL('e2e/soak/host.html', server.url).href, { timeout: 120_000 });
  await page.waitForFunction(() => 'narvlSoak' in globalThis, undefined, { timeout: 120_000 });
  await page.evaluate((given) => globalThis.narvlSoak.load('/models/narvl-photo/', given), seed);
  const measure = async () => ({
    ...(await page.evaluate(() => globalThis.narvlSoak.memory())),
    ...(await heaps.read()),
  });
  const run = (some: number) => page.evaluate((given) => globalThis.narvlSoak.run(given), some);
  // The engine's own caches fill with the first calls.
  const warm = Math.min(every, Math.ceil(calls / 10));
  const counts = { right: 0, wrong: 0, aborted: 0, failures: [] as string[] };
  let first: Awaited<ReturnType<typeof measure>> | undefined;
  let last = first;
  for (let done = 0; done < calls; ) {
    const some = first ? Math.min(every, calls - done) : warm;
    const came = await run(some);
    done += some;
    counts.right += came.right;
    counts.wrong += came.wrong;
    counts.aborted += came.aborted;
    counts.failures.push(...came.failures);
    last = await measure();
    first ??= last;
    console.log(
      `${done}: ${JSON.stringify({ ...counts, failures: counts.failures.length, ...last })}`,
    );
  }
  if (!first || !last) throw new Error('Expected calls of at least 1');
  const flat =
    last.gpuBuffers <= first.gpuBuffers && last.gpuBytes <= first.gpuBytes && last.looks === 0;
  const even = last.page <= GROWTH * first.page && last.worker <= GROWTH * first.worker;
  console.log(JSON.stringify({ calls, ...counts, first, last, flat, even }, null, 2));
  process.exitCode = flat && even && counts.wrong + counts.failures.length === 0 ? 0 : 1;
} finally {
  await browser.close();
  await server.close();
}
