/** How many a second, over the last few. */

/** So many moments are looked back on: the newest counts, and one hiccup does not. */
const KEPT = 12;

/** The rate at which something happens. */
export class Pace {
  #moments: number[] = [];

  /**
   * It happened.
   * @param now milliseconds
   * @returns times a second between the moments that are remembered; 0 of the first
   */
  beat(now: number): number {
    this.#moments = [...this.#moments.slice(1 - KEPT), now];
    const [first = now] = this.#moments;
    return now > first ? ((this.#moments.length - 1) * 1000) / (now - first) : 0;
  }

  /** What was before is not looked back on. */
  restart(): void {
    this.#moments = [];
  }
}
