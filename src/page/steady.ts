/**
 * When the text below a moving picture changes: once another has been likelier for long enough.
 *
 * Slots that are torn between synonyms say another of them on every frame. So the text that is shown
 * stays until frames in a row have gathered evidence against it: a cumulative sum (E. S. Page,
 * "Continuous inspection schemes", Biometrika 41, 1954) of how much likelier each finds its own text.
 * A small lead takes several frames and a large one two, so that a cut is followed and one odd frame is not.
 */

/** How much evidence it takes, in nats: differences of natural log probabilities of whole texts. */
export interface Steadiness {
  /** A lead that is put down to noise: taken off every frame's, so that a smaller one never counts. */
  readonly drift: number;
  /** The sum at which the text changes. No frame counts for more than half of it. */
  readonly threshold: number;
  /** Milliseconds that a text stays at least: a reader's time. */
  readonly dwell: number;
}

/** Choices between leads that were seen: docs/live.md has them. */
export const STEADINESS: Steadiness = { drift: 1, threshold: 16, dwell: 1000 };

/** The text that is shown. */
export class Steady {
  readonly #steadiness: Steadiness;
  #text: string | undefined;
  #evidence = 0;
  #since = 0;

  constructor(steadiness: Steadiness = STEADINESS) {
    this.#steadiness = steadiness;
  }

  /** Undefined before the first frame. */
  get text(): string | undefined {
    return this.#text;
  }

  /**
   * One more frame.
   *
   * @param said what the frame's own caption says
   * @param lead ln of how many times likelier that is on this frame than `text`: Infinity where `text`
   * is impossible there; of no meaning where they are the same
   * @param now milliseconds
   * @returns whether `text` is another one now
   */
  observe(said: string, lead: number, now: number): boolean {
    const { drift, threshold, dwell } = this.#steadiness;
    if (this.#text === undefined) return this.#show(said, now);
    if (said === this.#text) {
      this.#evidence = 0;
      return false;
    }
    const excess = Math.min(lead - drift, threshold / 2);
    this.#evidence = Math.max(0, this.#evidence + excess);
    const due = excess > 0 && this.#evidence >= threshold && now - this.#since >= dwell;
    return due && this.#show(said, now);
  }

  #show(text: string, now: number): true {
    this.#text = text;
    this.#evidence = 0;
    this.#since = now;
    return true;
  }
}
