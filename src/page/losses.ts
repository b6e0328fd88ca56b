/** How often workers were lost of late, and when that is too often. */
import type { NarvlError } from '../errors.ts';

/** So many within so many milliseconds, and whatever they have in common will not go away. */
const MOST = 3;
const WITHIN_MS = 60_000;

/** The losses of one model's workers. */
export class Losses {
  #times: number[] = [];

  /**
   * One more.
   * @returns why the GPU is to be given up, if it is
   */
  count(error: NarvlError, now = performance.now()): string | undefined {
    this.#times = [...this.#times.filter((time) => now - time < WITHIN_MS), now];
    if (this.#times.length < MOST) return undefined;
    return `${MOST} workers were lost within ${WITHIN_MS / 1000} seconds, the last one since ${error.message}`;
  }
}
