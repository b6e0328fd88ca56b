/** A worker and the calls to it: each ends when the worker answers, dies, hangs or is not wanted. */
import * as Comlink from 'comlink';
import { isLost, NarvlError } from '../errors.ts';
import type {
  ErrorData,
  ModelInfo,
  OpenRequest,
  Outcome,
  Progress,
  WorkerApi,
} from '../protocol.ts';
import { abortable, throwIfAborted } from './abort.ts';
import { Ending } from './ending.ts';
import { Watchdog } from './watchdog.ts';

/** A worker, from its start to its end. */
export class Session {
  readonly #worker: Worker;
  readonly #api: Comlink.Remote<WorkerApi>;
  readonly #watchdog: Watchdog;
  readonly #onEnd: (session: Session, error: NarvlError) => void;
  /** A worker that has ended answers nobody: who waits for it would wait for ever. */
  readonly #ending = new Ending();
  #jobs = 0;

  /**
   * @param url of the worker's script
   * @param patience milliseconds for which it may be silent while it has something to do
   * @param onEnd called once, when the worker has ended, with what it ended with
   * @throws NarvlError `worker-failed` where the page's policy forbids workers.
   */
  constructor(url: string, patience: number, onEnd: (session: Session, error: NarvlError) => void) {
    this.#onEnd = onEnd;
    this.#worker = startWorker(url);
    this.#api = Comlink.wrap<WorkerApi>(this.#worker);
    const fail = (message: string) => this.end(new NarvlError('worker-failed', message));
    this.#watchdog = new Watchdog(patience, () =>
      fail(`The worker was silent for ${patience / 1000} seconds`),
    );
    // An event without a message is of a script that did not load.
    this.#worker.addEventListener('error', ({ message = 'its script could not be loaded' }) =>
      fail(`The worker failed: ${message}`),
    );
    this.#worker.addEventListener('messageerror', () =>
      fail('A message to or from the worker was unreadable'),
    );
  }

  /** Whether the worker has ended. */
  get over(): boolean {
    return this.#ending.error !== undefined;
  }

  /** Load a model into the worker. @throws NarvlError as `Narvl.load` does. */
  open(request: OpenRequest, onProgress: (progress: Progress) => void): Promise<ModelInfo> {
    const report = Comlink.proxy((progress: Progress) => {
      this.#watchdog.heard();
      onProgress(progress);
    });
    return this.call((api) => api.open(request, report));
  }

  /**
   * One call to the worker. A worker that failed at it in a way that nobody foresaw, or that lost its
   * GPU, is ended: nothing says what else of it still works.
   *
   * @param send is given the job's number, by which the signal aborts it
   * @throws NarvlError what the worker answers; `aborted`, `invalid-argument` for what cannot be
   * sent, and what the worker was ended with.
   */
  async call<T>(
    send: (api: Comlink.Remote<WorkerApi>, job: number) => Promise<Outcome<T>>,
    signal?: AbortSignal,
  ): Promise<T> {
    throwIfAborted(signal);
    if (this.#ending.error) throw this.#ending.error;
    const job = ++this.#jobs;
    const tellWorker = () => void this.#api.abort(job);
    signal?.addEventListener('abort', tellWorker, { once: true });
    try {
      const outcome = this.#watchdog.watch(send(this.#api, job).catch(unanswered));
      // Heard also of a call that was aborted: what became of the worker concerns the others.
      const value = outcome.then((came) => this.#hear(came));
      return await abortable(this.#ending.before(value), signal);
    } finally {
      signal?.removeEventListener('abort', tellWorker);
    }
  }

  #hear<T>(outcome: Outcome<T>): T {
    if (outcome.ok) return outcome.value;
    const error = toError(outcome.error);
    if (isLost(error)) this.end(error);
    throw error;
  }

  /** Let go of a look. */
  forget(look: number): void {
    if (!this.over) void this.#api.forget(look);
  }

  /** End the worker and reject what waits for it. */
  end(error: NarvlError): void {
    if (this.over) return;
    this.#watchdog.stop();
    this.#worker.terminate();
    this.#ending.end(error);
    this.#onEnd(this, error);
  }
}

/** The error that the worker sent as data. */
export function toError({ code, message }: ErrorData): NarvlError {
  return new NarvlError(code, message);
}

function startWorker(url: string): Worker {
  try {
    return new Worker(url, { type: 'module', name: 'narvl' });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new NarvlError('worker-failed', `The browser refused the worker: ${reason}`, { cause });
  }
}

/** What came instead of an outcome: postMessage did not take the call, or the worker not its arguments. */
function unanswered(cause: unknown): Outcome<never> {
  const unsent = cause instanceof DOMException && cause.name === 'DataCloneError';
  const reason = cause instanceof Error ? cause.message : String(cause);
  const message = unsent ? `Expected what a worker can be sent: ${reason}` : reason;
  return { ok: false, error: { code: unsent ? 'invalid-argument' : 'worker-failed', message } };
}
