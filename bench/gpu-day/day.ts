/**
 * The day itself, on the machine with the GPU: run.sh calls it, docs/gpu-day.md says how.
 *
 * It tries drivers until one has a GPU, then runs the stages, most valuable first. Everything goes
 * into OUT/gpu-day.json, which is written anew after every step and is whole at any time.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Driver, driversToTry } from './drivers.ts';
import { kernelTests, wantedFeature } from './kernel-tests.ts';
import { dayTable } from './markdown.ts';
import type { AdapterData } from './parts.ts';
import { startProcess } from './process.ts';
import { type Machine, writeDay } from './results.ts';
import { type Part, runStages, type Stage, type StageResult, type Start } from './stages.ts';

const usage = `run.sh OUT [--seconds 540] [--only STAGE,STAGE] [--software] [--model FOLDER]
  OUT         folder that gets gpu-day.json
  --seconds   what all stages may take together
  --only      of kernels, bench, network, tuning, paper those alone; they share the time
  --software  go on where there is no GPU, on a driver that is a CPU
  --model     folder of the model, where it was not packed`;

/** Seconds of a day. */
const DAY = 540;
/** What the adapter's stage has of them, and each of the others, most valuable first. */
const ASKING = 45;
const SHARES: ReadonlyMap<string, number> = new Map([
  ['kernels', 165],
  ['bench', 110],
  ['network', 75],
  ['tuning', 50],
  ['paper', 90],
]);
/** No GPU was found. */
const NO_GPU = 3;

const here = fileURLToPath(new URL('.', import.meta.url));

function machine(): Machine {
  const [first] = cpus();
  return {
    processor: first?.model ?? 'unknown',
    cores: cpus().length,
    node: process.version,
    nvidia: nvidia(),
  };
}

function nvidia(): string | undefined {
  try {
    const query = '--query-gpu=name,driver_version,memory.total';
    const options = { encoding: 'utf8', timeout: 10_000, stdio: ['ignore', 'pipe', 'ignore'] };
    return execFileSync('nvidia-smi', [query, '--format=csv,noheader'], options as never)
      .toString()
      .trim();
  } catch {
    return undefined;
  }
}

function options() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seconds: { type: 'string', default: String(DAY) },
      only: { type: 'string', default: [...SHARES.keys()].join() },
      software: { type: 'boolean', default: false },
      model: { type: 'string', default: join(here, 'model') },
    },
  });
  const [out, ...others] = positionals;
  const seconds = Number(values.seconds);
  if (!out || others.length > 0) throw new Error('expected one folder for the results');
  if (!(seconds >= 30)) throw new Error(`--seconds: expected 30 or more, got ${values.seconds}`);
  const model = resolve(values.model);
  if (!existsSync(join(model, 'manifest.json'))) {
    throw new Error(`--model: expected a folder with a manifest.json, got ${model}`);
  }
  const only = values.only.split(',');
  const unknown = only.find((name) => !SHARES.has(name));
  if (unknown !== undefined) {
    throw new Error(`--only: expected some of ${[...SHARES.keys()].join()}, got ${unknown}`);
  }
  return { out, seconds, only, model, software: values.software };
}

/** @returns exit code */
async function day(): Promise<number> {
  const { out, seconds, only, model, software } = options();
  const shares = [...SHARES].filter(([name]) => only.includes(name));
  const wanted = shares.reduce((sum, [, share]) => sum + share, 0);
  const begun = performance.now();
  mkdirSync(out, { recursive: true });
  const path = join(out, 'gpu-day.json');
  const head = {
    format: 1,
    begun: new Date().toISOString(),
    commit: readFileSync(join(here, 'commit.txt'), 'utf8').trim(),
    machine: machine(),
  } as const;
  const scratch = mkdtempSync(join(tmpdir(), 'narvl-gpu-day-'));
  let env: Driver['env'] = {};
  const drivers = driversToTry(scratch, process.env);
  const start: Start = (stage, part, limit, onData) => {
    console.error(`${stage}: ${part}, at most ${limit.toFixed(0)} s`);
    const args = [join(here, 'part.mjs'), stage, part, String(limit), model, join(here, 'photos')];
    const driver = drivers.find(({ name }) => stage === 'adapter' && name === part);
    const running = startProcess(args, driver?.env ?? env, onData);
    void running.over.then((reason) => console.error(`  ${part}: ${reason ?? 'done'}`));
    return running;
  };
  const before: StageResult[] = [];
  const keep = (stages: readonly StageResult[]) =>
    writeDay(path, { ...head, stages: [...before, ...stages] });
  try {
    const asking: Stage = {
      name: 'adapter',
      seconds: (ASKING * seconds) / DAY,
      parts: drivers.map(({ name }) => ({ name, seconds: (20 * seconds) / DAY })),
      enough: (data) => !(data as AdapterData).adapter.software,
    };
    before.push(...(await runStages([asking], start, keep)));
    const adapters = (before[0]?.parts ?? []).flatMap(({ name, state, data }) =>
      state === 'done' ? [{ name, ...(data as AdapterData) }] : [],
    );
    const found = adapters.find(({ adapter }) => !adapter.software) ?? adapters[0];
    if (!found || (found.adapter.software && !software)) {
      const what = found ? 'only a driver that is a CPU (--software takes it)' : 'no driver';
      console.error(`There is ${what}; what was tried is in ${path}`);
      return NO_GPU;
    }
    env = drivers.find(({ name }) => name === found.name)?.env ?? {};
    console.error(`${found.adapter.vendor} ${found.adapter.description}, by ${found.name}`);
    const scale = (seconds - (performance.now() - begun) / 1000) / wanted;
    const stages = await runStages(
      shares.map(([name, share]) => ({
        name,
        seconds: share * scale,
        parts: name === 'kernels' ? testFiles(found, scale) : [{ name }],
      })),
      start,
      keep,
    );
    // Who sees nothing but the end of what is said has the tables all the same.
    console.log(dayTable({ ...head, stages: [...before, ...stages] }).markdown);
    console.error(`All of it is in ${path}`);
    return 0;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The kernels' tests, but those of features that the adapter lacks. */
function testFiles({ adapter, features }: AdapterData, scale: number): Part[] {
  return kernelTests.map((name) => {
    const feature = wantedFeature[name];
    const lacks = feature && !features.includes(feature);
    return {
      name,
      // On a CPU each gets a little, so that the way there is tried for all of them.
      seconds: (adapter.software ? 15 : 80) * scale,
      skip: lacks ? `the adapter has no ${feature}` : undefined,
    };
  });
}

try {
  process.exit(await day());
} catch (error) {
  console.error(`${error instanceof Error ? error.message : error}\n${usage}`);
  process.exit(2);
}
