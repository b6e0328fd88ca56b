/** An end that all that waits hears of. */
import type { NarvlError } from '../errors.ts';

/**
 * Something that ends once. A `Promise.race` with a promise of the end would keep every result until
 * then; here a call that is over leaves nothing behind.
 */
export class Ending {
  readonly #rejects = new Set<(error: NarvlError) => void>();
  #error: NarvlError | undefined;

  /** What it ended with, if it has. */
  get error(): NarvlError | undefined {
    return this.#error;
  }

  /** `promise`, unless the end comes first or has come. */
  before<T>(promise: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#rejects.add(reject);
      promise.then(resolve, reject).finally(() => this.#rejects.delete(reject));
      if (this.#error) reject(this.#error);
    });
  }

  /** Rejects whatever waits, and whatever will; the first error counts. */
  end(error: NarvlError): void {
    this.#error ??= error;
    for (const reject of this.#rejects) reject(this.#error);
    this.#rejects.clear();
  }
}
