/**
 * One job after another, each of which can be aborted.
 *
 * onnxruntime blocks for good when two of its calls overlap, so everything that touches it or the
 * GPU waits its turn here.
 */
import PQueue from 'p-queue';

/** The worker's jobs, by the numbers that the page gave them. */
export class Jobs {
  readonly #queue = new PQueue({ concurrency: 1 });
  readonly #controllers = new Map<number, AbortController>();

  /**
   * Does `work` in its turn, and nothing beside it until it has ended, aborted or not.
   * @throws what `work` throws; an `AbortError` if the job was aborted before its turn.
   */
  async run<T>(job: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    this.#controllers.set(job, controller);
    const { signal } = controller;
    try {
      // The queue is not given the signal: it would start the next job while this one still ends.
      return await this.#queue.add(async () => {
        signal.throwIfAborted();
        return await work(signal);
      });
    } finally {
      this.#controllers.delete(job);
    }
  }

  /** Does `work` in its turn; it cannot be aborted. */
  async add<T>(work: () => T | Promise<T>): Promise<T> {
    return await this.#queue.add(async () => await work());
  }

  /** Tells a job that nobody waits for it any more, if it has not ended. */
  abort(job: number): void {
    this.#controllers.get(job)?.abort();
  }
}
