/**
 * A language model that knows the names that fusion was told; the twin of training/writing/told_names.py.
 *
 * The n-grams have read few names of things, and a beam that follows them loses a piece of a name
 * that the network would copy. So a token is either copied from a told name or comes from the
 * n-grams, a mixture as in pointer networks (See et al. 2017) with fixed weights.
 */
import type { Posteriors } from '../model/decoder.ts';
import type { Name } from '../model/name.ts';
import type { LanguageModel } from './prefix-beam.ts';

/** How names count that the classifier finds likely. */
export interface Copying {
  /** How likely the next token is copied where no name is begun. */
  readonly start: number;
  /** The same where the last tokens begin one. */
  readonly inside: number;
  /** How likely a class has to be for its name to be copied at all. */
  readonly least: number;
  /** How likely it has to be for its name to be asked for. */
  readonly sure: number;
  /** What the language model's log-probability gains where a text first says such a name. */
  readonly named: number;
}

/** Beginnings of names that share their tokens; a branch is what goes on from there. */
interface Beginning {
  readonly following: Map<number, Beginning>;
}

/** The model for a photo with those names: a distribution, but for what `named` adds. */
export class Told implements LanguageModel {
  /** All tokens of the names that are copied, each once. */
  readonly pieces: readonly number[];
  readonly #ngrams: LanguageModel;
  readonly #copying: Copying;
  readonly #sure: readonly (readonly number[])[];
  readonly #root: Beginning = { following: new Map() };
  readonly #longest: number;

  constructor(ngrams: LanguageModel, names: readonly Name[], copying: Copying) {
    this.#ngrams = ngrams;
    this.#copying = copying;
    const likely = names.filter((name) => name.likely >= copying.least);
    this.#sure = likely.filter((name) => name.likely >= copying.sure).map(({ tokens }) => tokens);
    for (const { tokens } of likely) {
      let at = this.#root;
      for (const token of tokens) {
        const next = at.following.get(token) ?? { following: new Map() };
        at.following.set(token, next);
        at = next;
      }
    }
    this.pieces = [...new Set(likely.flatMap(({ tokens }) => tokens))];
    this.#longest = Math.max(0, ...likely.map(({ tokens }) => tokens.length));
  }

  logProb(history: readonly number[], token: number): number {
    const said = this.#sure.some((name) => completes(history, token, name) && !says(history, name));
    return this.#mixed(history, token) + (said ? this.#copying.named : 0);
  }

  #mixed(history: readonly number[], token: number): number {
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

/**
 * Posteriors with `pieces` of names in every slot, behind its likeliest tokens. One that is not
 * among those is taken to be as likely as the last of them: of a name that is copied piece by piece,
 * a single piece may be missing. One that is among them is impossible where it stands again.
 */
export function spelled(posteriors: Posteriors, pieces: readonly number[]): Posteriors {
  const { k, tokens, logProbs } = posteriors;
  const slots = tokens.length / k;
  const wide = {
    k: k + pieces.length,
    tokens: new Uint32Array(slots * (k + pieces.length)),
    logProbs: new Float32Array(slots * (k + pieces.length)),
  };
  for (let slot = 0; slot < slots; slot++) {
    const listed = tokens.subarray(slot * k, (slot + 1) * k);
    const least = logProbs[(slot + 1) * k - 1] ?? -Infinity;
    const at = slot * wide.k;
    wide.tokens.set(listed, at);
    wide.tokens.set(pieces, at + k);
    wide.logProbs.set(logProbs.subarray(slot * k, (slot + 1) * k), at);
    wide.logProbs.set(
      pieces.map((piece) => (listed.includes(piece) ? -Infinity : least)),
      at + k,
    );
  }
  return wide;
}

/** Whether `token` behind `history` is the last of `name`. */
function completes(history: readonly number[], token: number, name: readonly number[]): boolean {
  const start = history.length + 1 - name.length;
  return name.every((one, i) => one === (i + 1 < name.length ? history[start + i] : token));
}

function says(history: readonly number[], name: readonly number[]): boolean {
  return history.some((_, start) => name.every((one, i) => one === history[start + i]));
}
