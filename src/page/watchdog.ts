/** Notices a worker that has something to do and says nothing. */

/** Counts the jobs that a worker owes an answer, and listens for any sign of life. */
export class Watchdog {
  #owed = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param onSilence called once the worker has been silent for `milliseconds` with a job to do */
  constructor(
    private readonly milliseconds: number,
    private readonly onSilence: () => void,
  ) {}

  /**
   * A job was sent, whose answer is `reply`. Whether anybody still waits for it does not matter: a
   * worker answers aborted jobs too, and only a living one answers.
   */
  watch<T>(reply: Promise<T>): Promise<T> {
    this.#owed++;
    if (this.#owed === 1) this.heard();
    return reply.finally(() => {
      this.#owed--;
      this.heard();
    });
  }

  /** The worker said something. */
  heard(): void {
    clearTimeout(this.#timer);
    if (this.#owed > 0) this.#timer = setTimeout(this.onSilence, this.milliseconds);
  }

  /** The worker is gone. */
  stop(): void {
    this.#owed = 0;
    clearTimeout(this.#timer);
  }
}
