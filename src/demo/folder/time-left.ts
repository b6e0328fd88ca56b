/** How long the rest of a folder takes, from how long its latest photos took. */

/** So many photos say how fast it goes: few enough to follow a machine that gets busy. */
const RECENT = 12;

/** Notes when photos are done, and tells how long the others will take. */
export class Pace {
  /** When the latest were done, in milliseconds of one clock. */
  readonly #times: number[] = [];

  /** One more is done. */
  done(now: number): void {
    this.#times.push(now);
    if (this.#times.length > RECENT) this.#times.shift();
  }

  /**
   * Milliseconds until `left` more are done; undefined before three were. The time before the first does
   * not count: it is the model's that was loaded.
   */
  left(left: number): number | undefined {
    const [first, last] = [this.#times[0], this.#times.at(-1)];
    const steps = this.#times.length - 1;
    if (first === undefined || last === undefined || steps < 2) return undefined;
    return ((last - first) / steps) * left;
  }
}

/** `about 2 minutes left`, no more exact than it is. */
export function timeLeft(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 10) return 'a few seconds left';
  if (seconds < 55) return `about ${Math.ceil(seconds / 10) * 10} seconds left`;
  const minutes = Math.max(1, Math.round(seconds / 60));
  if (minutes < 60) return minutes === 1 ? 'about a minute left' : `about ${minutes} minutes left`;
  const hours = Math.round(minutes / 60);
  return hours === 1 ? 'about an hour left' : `about ${hours} hours left`;
}
