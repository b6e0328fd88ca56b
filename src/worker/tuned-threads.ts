/**
 * How many threads onnxruntime's WebAssembly is to run on: one or several, whichever is faster on this device.
 *
 * Several are not always: cores may be small, or busy, and threads wait for the slowest. Measured on the
 * first visit of a page that may have threads, remembered for the next ones.
 */
import { mostThreads, servedWasm, useThreads } from '../encoder/runtime.ts';
import { during } from '../model/load-stages.ts';
import type { Manifest } from '../model/manifest.ts';
import { TRIAL, type TrialAnswer, type TrialSetUp } from './threads-trial.ts';
import { openTuning } from './tunings.ts';

const ROUNDS = 5;
/** Milliseconds after which no new round is begun. */
const BUDGET = 1000;
/** Milliseconds in which a trial answers: threads that never start would be waited for for ever. */
const PATIENCE = 60_000;

/**
 * Before the runtime is loaded. Where nothing can be measured there are as many threads as there may be.
 * @param vision vision.onnx, the most that the threads will have to do
 * @param onStep told of each run, so that a slow device is not taken for one that hangs
 */
export async function tuneThreads(
  { image, files }: Manifest,
  vision: Promise<ArrayBuffer>,
  onStep: () => void,
): Promise<void> {
  const most = mostThreads();
  if (most < 2) return;
  const { sha256 } = files['vision.onnx'];
  const tuning = await openTuning('threads', most, navigator.hardwareConcurrency, sha256);
  const known = Number(tuning.known);
  if (known === 1 || known === most) return useThreads(known);
  const file = await vision;
  const setUp = { wasm: servedWasm(), vision: file, size: image.size };
  const fastest = await during('tune', () => fasterOf(most, setUp, onStep));
  if (fastest === undefined) return;
  useThreads(fastest);
  await tuning.keep(String(fastest));
}

/**
 * One thread or `most`, by the median of runs that take turns; one if the others fail. Undefined if one
 * thread fails too: that says nothing of threads.
 */
async function fasterOf(
  most: number,
  setUp: Omit<TrialSetUp, 'threads'>,
  onStep: () => void,
): Promise<number | undefined> {
  const [one, several] = [new Trial(1, onStep), new Trial(most, onStep)];
  try {
    await one.start(setUp);
    try {
      await several.start(setUp);
      const begun = performance.now();
      for (let round = 0; round < ROUNDS; round++) {
        if (round > 0 && performance.now() - begun > BUDGET) break;
        for (const trial of [one, several]) await trial.time();
      }
    } catch {
      return 1;
    }
    return several.median < one.median ? most : 1;
  } catch {
    return undefined;
  } finally {
    one.end();
    several.end();
  }
}

/** A worker that tries a number of threads. */
class Trial {
  readonly #times: number[] = [];
  // Of this very script, which is all that there is of the package.
  readonly #worker = new Worker(self.location.href, { type: 'module', name: TRIAL });

  constructor(
    private readonly threads: number,
    private readonly onStep: () => void,
  ) {}

  /** Milliseconds of a run. */
  get median(): number {
    return this.#times.toSorted((a, b) => a - b)[this.#times.length >> 1] ?? Number.NaN;
  }

  async start(setUp: Omit<TrialSetUp, 'threads'>): Promise<void> {
    await this.#ask({ ...setUp, threads: this.threads });
    await this.#ask(undefined); // The first run allocates.
  }

  /** Runs once, which counts. */
  async time(): Promise<void> {
    this.#times.push(await this.#ask(undefined));
  }

  /** @returns the milliseconds that it took */
  #ask(message: TrialSetUp | undefined): Promise<number> {
    return new Promise((resolve, reject) => {
      const patience = setTimeout(() => reject(new Error('The trial is silent')), PATIENCE);
      const settle = (settled: () => void) => {
        clearTimeout(patience);
        this.onStep();
        settled();
      };
      this.#worker.onmessage = ({ data }: MessageEvent<TrialAnswer>) =>
        settle(() =>
          'reason' in data ? reject(new Error(data.reason)) : resolve(data.milliseconds),
        );
      this.#worker.onerror = ({ message: reason }) => settle(() => reject(new Error(reason)));
      this.#worker.postMessage(message);
    });
  }

  end(): void {
    this.#worker.terminate();
  }
}
