/** `npm run caption -- [options] FILES…`: the browser's captions and answers on the command line. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Caption, DeviceChoice, Entailed, Located, Wanted, WeightBits } from '../src/index.ts';
import { BrowserRuntime } from './browser.ts';
import type { Question, Reply } from './host.ts';

const USAGE = `Usage: npm run caption -- [options] FILES…

  --json               one JSON line a file: {file, text, confidence, tokens, device, timings, cost};
                       of --locate {file, box, confidence, …}, box as [x0, y0, x1, y1] in shares of
                       width and height; of --entails {file, label, probabilities, …}
  --encoder NAME       webgpu or wasm       (default: what suits the adapter)
  --decoder NAME       webgpu, wasm or reference  (default: what suits the adapter)
  --weights BITS       32, 16 or 8: the decoder's weights on the GPU (default: what is fastest)
  --ask "…"            answer this question about each file instead of captioning it
  --locate "…"         say where this is in each file
  --entails "…"        say whether this statement is true of each file: entailment, neutral or
                       contradiction
  --candidates "A,B"   choose among these texts; with --json, how likely each is
  --task NAME          a caption task of the model's manifest, such as caption-human
  --tasks FILE.jsonl   many jobs: a line {"file": …, "ask"?: …, "locate"?: …, "entails"?: …,
                       "task"?: …, "candidates"?: […]} each, answered in order with its keys kept,
                       printed as soon as it is answered
  --search NAME        beam (by whole texts) or greedy (slot by slot; default: beam)
  --alternatives N     with --json, also up to N other texts
  --explain            with --json, also where in the photo each word looked
  --posteriors         with --json, also each slot's likeliest tokens
  --batch N            files that are captioned together (default 1)
  --model PATH         model folder below the server's root (default models/narvl-photo/)

Files are those of the folder in which npm was called. NARVL_GPU=1 in the environment leaves the adapter
to Chromium, for a machine with a GPU; without it Chromium's software adapter is taken.

A file that cannot be read gets {file, error: {code, message}}; the exit status is then 1.`;

/** What a file can be asked, each by a key of its line; without any it is captioned. */
const QUESTIONS = ['ask', 'locate', 'entails'] as const;

/** A line to answer: its file, what is asked of it, and whatever else it had. */
interface Job {
  readonly file: string;
  readonly ask?: unknown;
  readonly locate?: unknown;
  readonly entails?: unknown;
  /** A caption task; without one that of the command line. */
  readonly task?: unknown;
  /** Texts to choose from; without them those of the command line. */
  readonly candidates?: unknown;
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
      weights: { type: 'string' },
      ask: { type: 'string' },
      locate: { type: 'string' },
      entails: { type: 'string' },
      candidates: { type: 'string' },
      task: { type: 'string' },
      tasks: { type: 'string' },
      search: { type: 'string' },
      alternatives: { type: 'string', default: '0' },
      explain: { type: 'boolean', default: false },
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
  const { task } = values;
  const [asked, ...others] = QUESTIONS.filter((key) => values[key] !== undefined);
  const [other] = [...others, ...(task === undefined ? [] : ['task'])];
  if (asked && other) throw new UsageError(`--${asked} and --${other}: expected one of them`);
  if ((asked === 'locate' || asked === 'entails') && values.candidates !== undefined) {
    throw new UsageError(`--${asked} and --candidates: expected one of them`);
  }
  if (asked && values.tasks !== undefined) {
    throw new UsageError(
      `--${asked} and --tasks: expected one of them; a line may have an "${asked}" of its own`,
    );
  }
  const jobs: Job[] = positionals.map((file) =>
    asked ? { file, [asked]: values[asked] } : { file },
  );
  if (values.tasks !== undefined) jobs.push(...readJobs(values.tasks));
  if (jobs.length === 0) throw new UsageError('expected at least one file');
  const device: DeviceChoice = {
    encoder: oneOf('--encoder', values.encoder, ['webgpu', 'wasm']),
    decoder: oneOf('--decoder', values.decoder, ['webgpu', 'wasm', 'reference']),
    weightBits: bits(oneOf('--weights', values.weights, ['32', '16', '8'])),
  };
  const batch = wholeNumber('--batch', values.batch, 1);

  const wanted: Wanted = {
    search: oneOf('--search', values.search, ['beam', 'greedy']),
    alternatives: wholeNumber('--alternatives', values.alternatives, 0),
    candidates: values.candidates?.split(','),
    explain: values.explain,
    posteriors: values.posteriors,
  };

  let failed = false;
  const runtime = await BrowserRuntime.start(values.model, device);
  try {
    for (const group of groupJobs(jobs, batch)) {
      const replies = await reply(runtime, group, { task, ...wanted });
      for (const [i, job] of group.entries()) {
        const given = replies[i] ?? refusal('worker-failed', 'The browser left out a file');
        if (!given.ok) failed = true;
        print(job, given, values.json);
      }
    }
  } finally {
    await runtime.close();
  }
  return failed ? 1 : 0;
}

/** Jobs in order, those that can be answered together in one group: captions asked for alike. */
function groupJobs(jobs: readonly Job[], batch: number): Job[][] {
  const groups: Job[][] = [];
  for (const job of jobs) {
    const group = groups.at(-1);
    const first = group?.[0];
    const alike = (['task', 'candidates'] as const).every((key) => first?.[key] === job[key]);
    const captioned = [first, job].every((one) => one && !questionOf(one));
    if (group && alike && captioned && group.length < batch) group.push(job);
    else groups.push([job]);
  }
  return groups;
}

/** One reply a job of the group, in order; what cannot be asked never reaches the browser. */
async function reply(
  runtime: BrowserRuntime,
  group: readonly Job[],
  { task, ...wanted }: Wanted & { readonly task?: string | undefined },
): Promise<Reply[]> {
  const problems = group.map(problemOf);
  const files = group.filter((_, i) => !problems[i]).map((job) => job.file);
  const [first] = group;
  const [file] = files;
  if (!first || file === undefined) return problems.filter((problem) => problem !== undefined);
  const { candidates } = first;
  const asked = isTexts(candidates) ? { ...wanted, candidates } : wanted;
  const question = questionOf(first);
  if (question) return [await runtime.ask(file, question, asked)];
  const options = { ...asked, task: typeof first.task === 'string' ? first.task : task };
  const replies = await runtime.caption(files, options);
  return problems.map(
    (problem) =>
      problem ?? replies.shift() ?? refusal('worker-failed', 'The browser left out a file'),
  );
}

/** What a job asks; undefined if it wants a caption. */
function questionOf(job: Job): Question | undefined {
  const { ask, locate, entails } = job;
  if (typeof ask === 'string') return { ask };
  if (typeof locate === 'string') return { locate };
  if (typeof entails === 'string') return { entails };
  return undefined;
}

/** Why a job cannot be sent to the browser, if so. */
function problemOf({ file, ask, locate, entails, task, candidates }: Job): Reply | undefined {
  const asked = Object.entries({ ask, locate, entails, task }).filter(
    ([, value]) => value !== undefined,
  );
  for (const [key, value] of asked) {
    if (typeof value === 'string') continue;
    return refusal('invalid-argument', `${key}: expected text, got ${JSON.stringify(value)}`);
  }
  if (candidates !== undefined && !isTexts(candidates)) {
    const got = JSON.stringify(candidates);
    return refusal('invalid-argument', `candidates: expected a list of texts, got ${got}`);
  }
  if (asked.length > 1) {
    const keys = asked.map(([key]) => key).join(' or ');
    return refusal('invalid-argument', `Expected ${keys}, got ${asked.length} of them`);
  }
  if (candidates !== undefined && (locate !== undefined || entails !== undefined)) {
    return refusal('invalid-argument', 'candidates: expected a caption or a question beside them');
  }
  if (!existsSync(file)) return refusal('image-unreadable', 'No such file');
  if (!statSync(file).isFile()) {
    return refusal('image-unreadable', 'Expected a file, got a folder');
  }
  return undefined;
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((text) => typeof text === 'string');
}

function refusal(code: string, message: string): Reply {
  return { ok: false, error: { code, message } };
}

function print(job: Job, reply: Reply, json: boolean): void {
  const [words] = Object.values(questionOf(job) ?? {});
  const asked = words === undefined ? '' : ` ${words}`;
  if (!reply.ok) {
    const { code, message } = reply.error;
    if (json) console.log(JSON.stringify({ ...job, error: reply.error }));
    else console.error(`${job.file}:${asked} ${message} (${code})`);
    return;
  }
  const { shown, text } = summaryOf(reply.result);
  if (json) console.log(JSON.stringify({ ...job, ...shown }));
  else console.log(`${job.file}:${asked} ${text}`);
}

/** What a JSON line has of a result, and what a line of text says of it. */
function summaryOf(result: Caption | Located | Entailed): { shown: object; text: string } {
  if ('edges' in result) {
    const { edges, box: _, ...shown } = result;
    const text = edges.map((edge) => edge.toFixed(3)).join(' ');
    return { shown: { box: edges, ...shown }, text };
  }
  if ('label' in result) return { shown: result, text: result.label };
  const { slots: _, ...shown } = result;
  return { shown, text: shown.text };
}

function readJobs(path: string): Job[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((line, i) => {
      if (line.trim() === '') return [];
      const job = parsed(line);
      if (typeof job !== 'object' || job === null || !('file' in job)) {
        throw new UsageError(`${path}, line ${i + 1}: expected {"file": …}, got ${line}`);
      }
      return [{ ...job, file: String(job.file) }];
    });
}

/** Undefined if it is no JSON. */
function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function wholeNumber(option: string, value: string, least: number): number {
  const number = value.trim() === '' ? Number.NaN : Number(value);
  if (Number.isSafeInteger(number) && number >= least) return number;
  throw new UsageError(`${option}: expected a whole number from ${least} on, got ${value}`);
}

function bits(text: '32' | '16' | '8' | undefined): WeightBits | undefined {
  return text === undefined ? undefined : (Number(text) as WeightBits);
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

// npm changes to the package's folder; paths are meant from where it was called.
process.chdir(process.env.INIT_CWD ?? '.');
try {
  process.exitCode = await main();
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  console.error(`caption: ${message}`);
  if (error instanceof UsageError || message.startsWith('Unknown option')) console.error(USAGE);
  process.exitCode = 2;
}
