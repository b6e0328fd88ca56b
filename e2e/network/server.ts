/**
 * A server of the shipped model, of another origin than the page's, that misbehaves as it is told. `/RUN/file`
 * is a model folder for each run; `/set/RUN/BEHAVIOUR` says how it is served from then on, and `/log/RUN`
 * what was asked for in it.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { changes, mutant } from '../../src/testing/mutants.ts';

/** Bytes after which a connection ends, and bytes that a slow server sends at a time. */
const SOME = 1_000_000;

/**
 * What a server that breaks off waits before it does, in milliseconds. A browser throws away what a page has not read
 * when the connection ends, and on a busy machine a page reads late.
 */
const LATER_MS = 500;

/** What a slow server waits between two pieces, in milliseconds. */
const SLOWLY_MS = 400;

/** What onnxruntime runs. */
const GRAPHS = ['vision.onnx', 'fusion.onnx', 'decoder.onnx'];

/** Bytes of a graph's operators, about. */
const NODES = 1 << 15;

const MODEL = fileURLToPath(new URL('../../public/models/narvl-photo', import.meta.url));

/** What the server does with a file. */
export type Behaviour =
  /** What a good server does. */
  | 'good'
  /** Breaks off after some bytes, however often; goes on where it is asked to. */
  | 'cut'
  /** Breaks off once, and knows no ranges. */
  | 'cut-once'
  /** Breaks off once, and goes on with other bytes. */
  | 'cut-and-other'
  /** Breaks off, and then gives no answer any more. */
  | 'cut-for-good'
  /** Says nothing after some bytes, the first time. */
  | 'stall'
  /** Ends too soon, as if that were all. */
  | 'short'
  /** Ends too late. */
  | 'long'
  /** Sends a little at a time. */
  | 'slow'
  /** Never begins to answer. */
  | 'mute'
  /** A new version: another tokenizer.json, and a manifest that says so. */
  | 'new'
  /** In the midst of being put there: the tokenizer is new, and the manifest is not. */
  | 'half-new'
  /** Has a graph changed, by that seed, under a manifest that says so. */
  | `mutant-${number}`;

/** One request of a run. */
export interface Asked {
  readonly file: string;
  readonly range: string | undefined;
}

/** A model folder. */
interface Run {
  behaviour: Behaviour;
  readonly asked: Asked[];
}

/** A server that is up. */
export interface MisbehavingServer {
  /** With a slash at its end. */
  readonly url: string;
  close(): Promise<void>;
}

export async function startMisbehavingServer(): Promise<MisbehavingServer> {
  const runs = new Map<string, Run>();
  const server = createServer((request, response) => {
    serve(request, response, runs).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return {
    url: `http://localhost:${port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function serve(
  { url = '', headers: { range } }: IncomingMessage,
  response: ServerResponse,
  runs: Map<string, Run>,
): Promise<void> {
  const path = url.split('/').slice(1);
  const command = path.length > 2 || path[0] === 'log' ? path.shift() : undefined;
  const [name = '', file = ''] = path;
  const run = runs.get(name) ?? { behaviour: 'good', asked: [] };
  runs.set(name, run);
  response.setHeader('Access-Control-Allow-Origin', '*');
  if (command) {
    if (command === 'set') run.behaviour = file as Behaviour;
    response.end(JSON.stringify(run.asked));
    return;
  }
  const { asked, behaviour } = run;
  const before = asked.filter((one) => one.file === file).length;
  asked.push({ file, range });
  const data = await contentOf(file, behaviour);
  if (!data) {
    response.writeHead(404).end();
    return;
  }
  // What is said here of large files: small ones come whole.
  const wrong = data.length > SOME || behaviour === 'mute' ? behaviour : 'good';
  const start = Number(range?.match(/^bytes=(\d+)-$/)?.[1] ?? 0);
  const ranged = start > 0 && wrong !== 'cut-once';
  const rest = ranged ? data.subarray(start) : data;
  const begin = (length = rest.length) => {
    const end = data.length - 1;
    if (ranged) response.setHeader('Content-Range', `bytes ${start}-${end}/${data.length}`);
    response.writeHead(ranged ? 206 : 200, { 'Content-Length': length });
  };
  /** Sends as much as it says less than, and ends the connection. */
  const breakOff = async () => {
    begin();
    await new Promise<void>((resolve) => response.write(rest.subarray(0, SOME), () => resolve()));
    setTimeout(() => response.destroy(), LATER_MS);
  };
  switch (wrong) {
    case 'cut':
      if (rest.length > SOME) return breakOff();
      break;
    case 'cut-once':
    case 'cut-and-other':
    case 'cut-for-good':
      if (before === 0) return breakOff();
      if (wrong === 'cut-for-good') {
        response.destroy();
        return;
      }
      if (wrong === 'cut-and-other') {
        begin();
        response.end(Buffer.alloc(rest.length));
        return;
      }
      break;
    case 'stall':
      if (before === 0) {
        begin();
        response.write(rest.subarray(0, SOME));
        return;
      }
      break;
    case 'mute':
      return;
    case 'short':
      begin(rest.length - 1);
      response.end(rest.subarray(1));
      return;
    case 'long':
      begin(rest.length + 1);
      response.end(Buffer.concat([rest, Buffer.alloc(1)]));
      return;
    case 'slow': {
      begin();
      for (let at = 0; at < rest.length; at += SOME) {
        response.write(rest.subarray(at, at + SOME));
        await new Promise((resolve) => setTimeout(resolve, SLOWLY_MS));
      }
      response.end();
      return;
    }
  }
  begin();
  response.end(rest);
}

/** Undefined if there is no such file. */
async function contentOf(file: string, behaviour: Behaviour): Promise<Buffer | undefined> {
  const data = await readFile(join(MODEL, file)).catch(() => undefined);
  const isNew = behaviour === 'new' || behaviour === 'half-new';
  // JSON with a space behind it says the same.
  if (isNew && file === 'tokenizer.json' && data) return Buffer.concat([data, Buffer.from(' ')]);
  const seed = seedOf(behaviour);
  const [changed, name] =
    seed === undefined ? ['tokenizer.json', 'new'] : [graphOf(seed), `mutant ${seed}`];
  if (data && seed !== undefined && file === changed) return graphMutant(data, seed);
  if ((behaviour !== 'new' && seed === undefined) || file !== 'manifest.json' || !data) return data;
  const content = (await contentOf(changed, behaviour)) ?? Buffer.alloc(0);
  const manifest = JSON.parse(data.toString());
  const sha256 = createHash('sha256').update(content).digest('hex');
  manifest.name = name;
  manifest.files[changed] = { bytes: content.length, sha256 };
  return Buffer.from(JSON.stringify(manifest));
}

function seedOf(behaviour: Behaviour): number | undefined {
  const digits = /^mutant-(\d+)$/.exec(behaviour)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Which of the graphs a seed changes. */
function graphOf(seed: number): string {
  return GRAPHS[seed % GRAPHS.length] ?? '';
}

/**
 * The operators come first, and between the weights lie their names and shapes. Every fourth has one byte
 * changed in its middle, where large graphs have weights, and may well run.
 */
function graphMutant(graph: Buffer, seed: number): Buffer {
  const [list = []] = fc.sample(changes, { seed, numRuns: 1 });
  const weight = { kind: 'byte', at: graph.length >> 1, value: seed % 256 } as const;
  return Buffer.from(seed % 4 === 0 ? mutant(graph, [weight]) : mutant(graph, list, NODES));
}
