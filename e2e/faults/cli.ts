/**
 * `npm run faults -- --times 100`: injects faults at random moments into a model that is at work, in
 * Chromium, until so many have struck, and counts what became of the calls. Exits with 1 if anything hung, was
 * lost or said something wrong.
 */
import { parseArgs } from 'node:util';
import { chromium } from 'playwright';
import { startServer } from '../../cli/server.ts';
import { chromiumOptions } from '../chromium.ts';

const { values } = parseArgs({
  options: {
    times: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    /** Milliseconds of silence after which a worker counts as hung. */
    patience: { type: 'string', default: '20000' },
  },
});

const options = {
  times: Number(values.times),
  seed: Number(values.seed),
  patience: Number(values.patience),
};

const browser = await chromium.launch(chromiumOptions());
const server = await startServer();
try {
  const page = await browser.newPage();
  page.on('console', (message) => {
    if (message.type() === 'log') console.log(message.text());
  });
  await page.goto(new URL('e2e/faults/host.html', server.url).href, { timeout: 120_000 });
  await page.waitForFunction(() => 'narvlFaults' in globalThis, undefined, { timeout: 120_000 });
  const report = await page.evaluate((given) => {
    return globalThis.narvlFaults('/models/narvl-photo/', given);
  }, options);
  console.log(JSON.stringify(report, null, 2));
  const { hung, wrong, lost, otherErrors, recovered, rounds, struck } = report;
  const none = hung + wrong + lost + otherErrors.length === 0;
  const good = none && recovered === rounds && struck >= options.times;
  process.exitCode = good ? 0 : 1;
} finally {
  await browser.close();
  await server.close();
}
