/**
 * Graphs with something changed under a manifest that says so, on the path where onnxruntime runs them: each
 * is run, or refused with a typed error, by a worker that lives.
 *
 * `MUTANTS=20 npx vitest run --project runtime e2e/runtime/graph-mutants.test.ts` makes 240.
 */
import { beforeAll, expect, inject, it } from 'vitest';
import { Narvl, NarvlError } from '../../src/index.ts';
import { jpeg } from './images.ts';

const SERVER = inject('misbehaving');
const MUTANTS = 12 * inject('mutants');

/** How long a worker may take, in milliseconds, to say what came of a graph. */
const PATIENCE = 120_000;

const CPU = { device: { encoder: 'wasm', decoder: 'wasm' } } as const;

let file: Blob;
beforeAll(async () => {
  file = await jpeg(160, 120, 3);
});

it(`are run or refused, ${MUTANTS} of them`, { timeout: MUTANTS * PATIENCE }, async () => {
  const run = Date.now();
  const came: Record<string, number> = {};
  for (let seed = 0; seed < MUTANTS; seed++) {
    await fetch(`${SERVER}set/${run}-${seed}/mutant-${seed}`);
    const end = await Promise.race([captioned(`${SERVER}${run}-${seed}/`), late()]);
    expect(end, `mutant ${seed}`).toMatch(/^(captioned|invalid-model|worker-failed)$/);
    came[end] = (came[end] ?? 0) + 1;
  }
  // Were all run, nothing would have been changed; were none, all would have been broken another way.
  expect(Object.keys(came).sort()).toEqual(expect.arrayContaining(['captioned', 'invalid-model']));
});

/** What comes of a model folder: a caption, or the code of an error. */
async function captioned(folder: string): Promise<string> {
  let narvl: Narvl | undefined;
  try {
    narvl = await Narvl.load(folder, CPU);
    const { text } = await narvl.caption(file);
    return typeof text === 'string' ? 'captioned' : 'no text';
  } catch (error) {
    return error instanceof NarvlError ? error.code : `untyped: ${error}`;
  } finally {
    narvl?.dispose();
    await forget(folder);
  }
}

const late = () =>
  new Promise<string>((resolve) => {
    setTimeout(() => resolve('hung'), PATIENCE);
  });

/** Its files are kept by nobody. */
async function forget(folder: string): Promise<void> {
  const cache = await caches.open('narvl-model-files');
  for (const { url } of await cache.keys()) if (url.startsWith(folder)) await cache.delete(url);
}
