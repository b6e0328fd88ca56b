/**
 * One job after another, the most urgent first, each of which can be aborted.
 *
 * onnxruntime blocks for good when two of its calls overlap, so everything that touches it or the
 * GPU waits its turn here.
 */
import PQueue from 'p-queue';
import { DEFAULT_PRIORITY, type Priority } from '../protocol.ts';

/** By p-queue's numbers, of which the greater goes first. Equals keep their order. */
const RANKS: Readonly<Record<Priority, number>> = { high: 1, normal: 0, low: -1 };

/** The worker's jobs, by the numbers that the page gave them. */
export class Jobs {
  readonly #queue = new PQueue({ concurrency: 1 });
  readonly #controllers = new Map<number, AbortController>();

  /**
   * Does `work` in its turn, and nothing beside it until it has ended, aborted or not. A job that has
   * begun is never interrupted for a more urgent one.
   * @throws what `work` throws; an `AbortError` if the job was aborted before its turn.
   */
  async run<T>(
    job: number,
    work: (signal: AbortSignal) => Promise<T>,
    priority: Priority = DEFAULT_PRIORITY,
  ): Promise<T> {
    const controller = new AbortController();
    this.#controllers.set(job, controller);
    const { signal } = controller;
    try {
      // The queue is not given the signal: it would start the next job while this one still ends.
      return await this.#queue.add(
        async () => {
          signal.throwIfAborted();
          return await work(signal);
        },
        { priority: RANKS[priority] },
      );
    } finally {
      this.#controllers.delete(job);
    }
  }

  /** Does `work` before whatever waits; it cannot be aborted. */
  async next<T>(work: () => T | Promise<T>): Promise<T> {
    return await this.#queue.add(async () => await work(), { priority: RANKS.high + 1 });
  }

  /** Tells a job that nobody waits for it any more, if it has not ended. */
  abort(job: number): void {
    this.#controllers.get(job)?.abort();
  }
}
