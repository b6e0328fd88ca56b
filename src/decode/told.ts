/**
 * A language model that knows the names that fusion was told; the twin of training/told.py.
 *
 * The n-grams have read few names of things, and a beam that follows them loses a piece of a name
 * that the network would copy. So a token is either copied from a told name or comes from the
 * n-grams, a mixture as in pointer networks (See et al. 2017) with fixed weights.
 */
import type { LanguageModel } from './prefix-beam.ts';

/** How likely the next token is copied. */
export interface Copying {
  /** Where no name is begun. */
  readonly start: number;
  /** Where the last tokens begin one. */
  readonly inside: number;
}

/** Beginnings of names that share their tokens; a branch is what goes on from there. */
interface Beginning {
  readonly following: Map<number, Beginning>;
}

/** The model for a photo with those names, each a list of token ids. */
export class Told implements LanguageModel {
  readonly #ngrams: LanguageModel;
  readonly #copying: Copying;
  readonly #root: Beginning = { following: new Map() };
  #longest = 0;

  constructor(ngrams: LanguageModel, names: readonly (readonly number[])[], copying: Copying) {
    this.#ngrams = ngrams;
    this.#copying = copying;
    for (const name of names) {
      let at = this.#root;
      for (const token of name) {
        const next = at.following.get(token) ?? { following: new Map() };
        at.following.set(token, next);
        at = next;
      }
      this.#longest = Math.max(this.#longest, name.length);
    }
  }

  logProb(history: readonly number[], token: number): number {
    const logProb = this.#ngrams.logProb(history, token);
    for (let length = Math.min(this.#longest, history.length); length >= 0; length--) {
      const begun = this.#begun(history, history.length - length);
      if (!begun || begun.following.size === 0) continue;
      const weight = length > 0 ? this.#copying.inside : this.#copying.start;
      const copied = begun.following.has(token) ? weight / begun.following.size : 0;
      return Math.log((1 - weight) * Math.exp(logProb) + copied);
    }
    return logProb;
  }

  /** The beginning of names that the tokens from `start` on are, if they are one. */
  #begun(history: readonly number[], start: number): Beginning | undefined {
    let at: Beginning | undefined = this.#root;
    for (let i = start; i < history.length && at; i++) at = at.following.get(history[i] ?? -1);
    return at;
  }
}
