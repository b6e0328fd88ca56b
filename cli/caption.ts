/** `npm run caption -- [options] FILES…`: the browser's captions on the command line. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { DeviceChoice } from '../src/index.ts';
import { BrowserRuntime } from './browser.ts';
import type { Answer } from './host.ts';

const USAGE = `Usage: npm run caption -- [options] FILES…

  --json               one JSON line a file: {file, text, confidence, tokens, device, timings, cost}
  --encoder NAME       webgpu or wasm       (default: what suits the adapter)
  --decoder NAME       webgpu or reference  (default: what suits the adapter)
  --ask "…"            a question about each file; the model must have been taught to answer
  --task NAME          a task of the model's manifest, such as caption-human
  --tasks FILE.jsonl   many jobs: a line {"file": …} each, answered in order with its keys kept
  --posteriors         with --json, also each slot's likeliest tokens
  --batch N            files that go through the network together (default 1)
  --model PATH         model folder below the server's root (default models/narvl-photo/)

A file that cannot be read gets {file, error: {code, message}}; the exit status is then 1.`;

/** A line to answer: its file, and whatever else it had. */
interface Job {
  readonly file: string;
  readonly [key: string]: unknown;
}

/** Wrong words on the command line. */
class UsageError extends Error {}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      encoder: { type: 'string' },
      decoder: { type: 'string' },
      ask: { type: 'string' },
      task: { type: 'string' },
      tasks: { type: 'string' },
      posteriors: { type: 'boolean', default: false },
      batch: { type: 'string', default: '1' },
      model: { type: 'string', default: 'models/narvl-photo/' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const { ask } = values;
  const jobs: Job[] = positionals.map((file) => (ask === undefined ? { file } : { file, ask }));
  if (values.tasks !== undefined) jobs.push(...readJobs(values.tasks));
  if (jobs.length === 0) throw new UsageError('expected at least one file');
  const device: DeviceChoice = {
    encoder: oneOf('--encoder', values.encoder, ['webgpu', 'wasm']),
    decoder: oneOf('--decoder', values.decoder, ['webgpu', 'reference']),
  };
  const batch = Number(values.batch);
  if (!Number.isSafeInteger(batch) || batch < 1) {
    throw new UsageError(`--batch: expected a positive whole number, got ${values.batch}`);
  }

  let failed = false;
  const runtime = await BrowserRuntime.start(values.model, device);
  try {
    for (let at = 0; at < jobs.length; at += batch) {
      const group = jobs.slice(at, at + batch);
      const answers = await answer(runtime, group, values.task, values.posteriors);
      for (const [i, job] of group.entries()) {
        const given = answers[i];
        if (!given?.ok) failed = true;
        if (given) print(job, given, values.json);
      }
    }
  } finally {
    await runtime.close();
  }
  return failed ? 1 : 0;
}

/** One answer a job, in order; files that are not there never reach the browser. */
async function answer(
  runtime: BrowserRuntime,
  jobs: readonly Job[],
  task: string | undefined,
  posteriors: boolean,
): Promise<Answer[]> {
  const problems = jobs.map((job) => problemOf(job));
  const files = jobs.filter((_, i) => !problems[i]).map((job) => job.file);
  const answers = files.length > 0 ? await runtime.caption(files, { task, posteriors }) : [];
  return problems.map(
    (problem) =>
      problem ??
      answers.shift() ?? {
        ok: false,
        error: { code: 'worker-failed', message: 'The browser left out a file' },
      },
  );
}

/** Why a job cannot be sent to the browser, if so. */
function problemOf({ file, ask }: Job): Answer | undefined {
  const error = (code: string, message: string): Answer => ({
    ok: false,
    error: { code, message },
  });
  if (ask !== undefined) return error('invalid-argument', 'This model answers no questions yet');
  if (!existsSync(file)) return error('image-unreadable', 'No such file');
  if (!statSync(file).isFile()) return error('image-unreadable', 'Expected a file, got a folder');
  return undefined;
}

function print(job: Job, answer: Answer, json: boolean): void {
  if (!answer.ok) {
    const { code, message } = answer.error;
    if (json) console.log(JSON.stringify({ ...job, error: answer.error }));
    else console.error(`${job.file}: ${message} (${code})`);
    return;
  }
  const { text, confidence, tokens, device, timings, cost, posteriors } = answer.caption;
  if (json) {
    console.log(
      JSON.stringify({ ...job, text, confidence, tokens, device, timings, cost, posteriors }),
    );
  } else {
    console.log(`${job.file}: ${text}`);
  }
}

function readJobs(path: string): Job[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line, i) => {
      const job: unknown = JSON.parse(line);
      if (typeof job !== 'object' || job === null || !('file' in job)) {
        throw new UsageError(`${path}, line ${i + 1}: expected {"file": …}, got ${line}`);
      }
      return { ...job, file: String(job.file) };
    });
}

function oneOf<T extends string>(
  option: string,
  value: string | undefined,
  choices: readonly T[],
): T | undefined {
  if (value === undefined) return undefined;
  const choice = choices.find((name) => name === value);
  if (choice) return choice;
  throw new UsageError(`${option}: expected ${choices.join(' or ')}, got ${value}`);
}

try {
  process.exitCode = await main();
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  console.error(`caption: ${message}`);
  if (error instanceof UsageError || message.startsWith('Unknown option')) console.error(USAGE);
  process.exitCode = 2;
}
