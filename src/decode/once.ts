/**
 * A language model that minds saying a thing twice; the twin of training/writing/once.py.
 *
 * "A dog with a dog" is likely by the slots, which choose independently, and by n-grams, which forget. So
 * whatever model guides the beam, a content word that the text has already costs it.
 */
import type { LanguageModel } from './prefix-beam.ts';

/** How saying a word again counts. */
export interface Repetition {
  /** What the language model's log-probability loses where a word ends that the text had before. */
  readonly cost: number;
  /** Words of one token that may come as often as they like. */
  readonly free: readonly number[];
}

/** The model, and less where a text says a content word again. */
export class Once implements LanguageModel {
  readonly #model: LanguageModel;
  readonly #cost: number;
  readonly #free: ReadonlySet<number>;
  readonly #begins: ReadonlySet<number>;
  readonly #eos: number;

  /**
   * @param begins the tokens that begin a word
   * @param eos the end, which ends a word too
   */
  constructor(
    model: LanguageModel,
    { cost, free }: Repetition,
    begins: ReadonlySet<number>,
    eos: number,
  ) {
    this.#model = model;
    this.#cost = cost;
    this.#free = new Set(free);
    this.#begins = begins;
    this.#eos = eos;
  }

  logProb(history: readonly number[], token: number): number {
    const logProb = this.#model.logProb(history, token);
    // A word is known to be whole when the next one begins.
    const whole = token === this.#eos || this.#begins.has(token);
    return whole && this.#again(history) ? logProb - this.#cost : logProb;
  }

  /** Whether the last word of a text was there before. */
  #again(history: readonly number[]): boolean {
    const start = history.findLastIndex((token) => this.#begins.has(token));
    if (start < 0) return false;
    const word = history.slice(start);
    if (word.length === 1 && this.#free.has(word[0] ?? -1)) return false;
    // A word ends where the next begins, the last of which is `word` itself.
    for (let at = 0; at + word.length <= start; at++) {
      const next = history[at + word.length];
      if (next === undefined || !this.#begins.has(next)) continue;
      if (word.every((token, i) => token === history[at + i])) return true;
    }
    return false;
  }
}
