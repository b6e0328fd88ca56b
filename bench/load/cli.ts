/**
 * `npm run bench -- --load`: a visitor who comes for the first time, comes back, and comes again, to the built
 * page behind a line of some speed; how long each took to a caption, by stage.
 *
 * A browser is started for each visit and a profile for each round, so that what a warm visit finds is what
 * browsers keep on disk: the model, the scripts and their compiled code, the kernels' pipelines. The kinds take
 * turns, so that what slows the machine slows them all.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright';
import { build } from 'vite';
import { ROOT } from '../../cli/server.ts';
import { chromiumOptions } from '../../e2e/chromium.ts';
import { reasonOf } from '../measure.ts';
import { serveBehind } from './server.ts';
import { KINDS, summary, type Visit } from './summary.ts';

const usage = `npm run bench -- --load [--rounds 5] [--mbit 50] [--delay 20] [--encoder E] [--decoder D] [--json FILE]
  --rounds            profiles, each of which visits three times
  --mbit, --delay     the line: millions of bits a second, and milliseconds before a response
  --encoder           webgpu or wasm; as the page chooses if left out
  --decoder           webgpu, wasm or reference; likewise
  --json              also write every visit to a file
NARVL_GPU=1 in the environment leaves the adapter to Chromium, for a machine with a GPU.`;

const options = {
  load: { type: 'boolean' },
  rounds: { type: 'string', default: '5' },
  mbit: { type: 'string', default: '50' },
  delay: { type: 'string', default: '20' },
  encoder: { type: 'string' },
  decoder: { type: 'string' },
  json: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

/** Longest that a visit may take; a software adapter compiles for minutes on a busy machine. */
const PATIENCE_MS = 600_000;

/** Runs what the arguments say; sets the exit code. */
export async function runLoad(): Promise<void> {
  const values = parsed();
  const [rounds, mbit, delay] = [values?.rounds, values?.mbit, values?.delay].map(Number);
  const good = values && Number.isInteger(rounds) && rounds && rounds > 0 && mbit && mbit > 0;
  if (!good || values.help || delay === undefined || !(delay >= 0)) {
    console.error(usage);
    process.exitCode = values?.help ? 0 : 2;
    return;
  }
  const query = new URLSearchParams();
  for (const half of ['encoder', 'decoder'] as const) {
    if (values[half]) query.set(half, values[half]);
  }
  try {
    await build({ root: ROOT, logLevel: 'error' });
    const { visits, where } = await visitInTurns(rounds, { mbit, delay }, query);
    console.log(`${rounds} rounds at ${mbit} Mbit/s and ${delay} ms; ${where}\n`);
    console.log(summary(visits));
    const path = values.json && resolve(process.env.INIT_CWD ?? '.', values.json);
    if (path) await writeFile(path, `${JSON.stringify(visits, null, 2)}\n`);
  } catch (error) {
    console.error(`bench: ${reasonOf(error)}`);
    process.exitCode = 1;
  }
}

async function visitInTurns(
  rounds: number,
  line: { readonly mbit: number; readonly delay: number },
  query: URLSearchParams,
) {
  const server = await serveBehind(join(ROOT, 'site'), line);
  const visits: Visit[] = [];
  let where = '';
  try {
    for (let round = 1; round <= rounds; round++) {
      const profile = await mkdtemp(join(tmpdir(), 'narvl-load-'));
      try {
        for (const kind of KINDS) {
          console.error(`round ${round} of ${rounds}, ${kind}`);
          const before = server.sent();
          const visited = await visit(profile, `${server.url}load.html?${query}`);
          where = visited.where;
          visits.push({ kind, times: visited.times, bytes: server.sent() - before });
        }
      } finally {
        await rm(profile, { recursive: true, force: true });
      }
    }
  } finally {
    await server.close();
  }
  return { visits, where };
}

async function visit(profile: string, url: string) {
  const context = await chromium.launchPersistentContext(profile, chromiumOptions());
  try {
    const page = context.pages()[0] ?? (await context.newPage());
    page.setDefaultTimeout(PATIENCE_MS);
    await page.goto(url);
    await page.waitForFunction(() => 'narvlVisit' in globalThis);
    return await page.evaluate(() => globalThis.narvlVisit);
  } finally {
    // Closed in order, so that the browser writes what it keeps.
    await context.close();
  }
}

/** Undefined if an option is not known. */
function parsed() {
  try {
    return parseArgs({ options }).values;
  } catch {
    return undefined;
  }
}
