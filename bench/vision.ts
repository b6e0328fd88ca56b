/**
 * `npm run bench -- --vision FOLDER…`: what vision takes in WebAssembly, of the shipped model and of others that
 * lie below the repository's root, in turns in one tab. `python -m training vision_int8` writes such folders.
 */
import { parseArgs } from 'node:util';
import { chromium } from 'playwright';
import { startServer } from '../cli/server.ts';
import { chromiumOptions } from '../e2e/chromium.ts';
import { reasonOf } from './measure.ts';

const usage = `npm run bench -- --vision [--rounds 11] FOLDER [FOLDER…]
  FOLDER      a model below the repository's root, beside the shipped one
  --rounds    times that each looks at a photo`;

const options = {
  vision: { type: 'boolean' },
  rounds: { type: 'string', default: '11' },
} as const;

const SHIPPED = 'models/narvl-photo/';

/** Runs what the arguments say; sets the exit code. */
export async function runVision(): Promise<void> {
  const args = parsed();
  const rounds = Number(args?.values.rounds);
  if (!args || args.positionals.length === 0 || !Number.isInteger(rounds) || rounds < 1) {
    console.error(usage);
    process.exitCode = 2;
    return;
  }
  try {
    const models = [SHIPPED, ...args.positionals];
    const times = await inTurns(models, rounds);
    console.log('| model | vision, median ms | 10–90 % | the same text | of the shipped one |');
    console.log('|---|---|---|---|---|');
    const [base = Number.NaN] = times.map(({ vision }) => quantile(vision, 0.5));
    for (const [i, { vision, text }] of times.entries()) {
      const [low, middle, high] = [0.1, 0.5, 0.9].map((at) => quantile(vision, at));
      const same = text === times[0]?.text ? 'yes' : `no: ${text}`;
      console.log(
        `| ${models[i]} | ${middle?.toFixed(1)} | ${low?.toFixed(1)}–${high?.toFixed(1)} | ${same} | ` +
          `${((middle ?? Number.NaN) / base).toFixed(2)} |`,
      );
    }
  } catch (error) {
    console.error(`bench: ${reasonOf(error)}`);
    process.exitCode = 1;
  }
}

async function inTurns(models: readonly string[], rounds: number) {
  const server = await startServer();
  const browser = await chromium.launch(chromiumOptions());
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(0);
    await page.goto(new URL('cli/host.html', server.url).href);
    const urls = models.map((model) => new URL(model.replace(/\/?$/, '/'), server.url).href);
    const asked = { urls, rounds, script: '/src/index.ts', photo: '/samples/cat.jpg' };
    return await page.evaluate(async ({ urls, rounds, script, photo }) => {
      const { Narvl } = (await import(script)) as typeof import('../src/index.ts');
      const device = { encoder: 'wasm', decoder: 'wasm' } as const;
      const image = await (await fetch(photo)).blob();
      const loaded = [];
      for (const url of urls) {
        const narvl = await Narvl.load(url, { device });
        const { text } = await narvl.caption(image); // The first run allocates.
        loaded.push({ narvl, text, vision: [] as number[] });
      }
      for (let round = 0; round < rounds; round++) {
        for (const { narvl, vision } of loaded) {
          vision.push((await narvl.caption(image)).timings.vision);
        }
      }
      return loaded.map(({ text, vision }) => ({ text, vision }));
    }, asked);
  } finally {
    await browser.close();
    await server.close();
  }
}

function quantile(values: readonly number[], at: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.round(at * (sorted.length - 1))] ?? Number.NaN;
}

/** Undefined if an option is not known. */
function parsed() {
  try {
    return parseArgs({ options, allowPositionals: true });
  } catch {
    return undefined;
  }
}
