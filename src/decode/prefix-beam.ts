/**
 * Prefix beam search over one pass's posteriors, with a language model between the slots; the twin
 * of training/writing/ctc_beam.py.
 *
 * Hannun et al. (2014): a prefix keeps the probability of its paths that end in a blank apart from
 * that of those that end in its last token, since only the former may repeat it.
 */
import type { Posteriors } from '../model/decoder.ts';
import { logAdd } from './log-add.ts';

/** What judges a token by the ones before it. */
export interface LanguageModel {
  /** Natural log of the probability of `token` after `history`. */
  logProb(history: readonly number[], token: number): number;
}

/** How the search weighs what it finds. */
export interface BeamOptions {
  /** Ids of the tokens that mean nothing and the end, and of what a history begins with. */
  readonly blank: number;
  readonly eos: number;
  readonly bos: number;
  /** Prefixes kept after each slot. */
  readonly width: number;
  /** Weight of the language model's log-probability. */
  readonly languageWeight: number;
  /** Added for each token, the end too, since every model prefers short texts. */
  readonly bonus: number;
}

/** A beginning of a text; texts that share it share the object. */
interface Prefix {
  readonly parent: Prefix | undefined;
  readonly token: number;
  /** BOS and the tokens. */
  readonly history: readonly number[];
  /** The language model's share and the bonus, for all of it. */
  readonly judged: number;
  readonly ended: boolean;
  readonly followers: Map<number, Prefix>;
  /** log p of the paths so far that end in a blank, and of those that end in the last token. */
  blank: number;
  last: number;
  nextBlank: number;
  nextLast: number;
}

/** The texts that `posteriors` most likely mean, all different and in no order. */
export function prefixBeam(
  { k, tokens, logProbs }: Posteriors,
  model: LanguageModel,
  options: BeamOptions,
): (readonly number[])[] {
  const slots = tokens.length / k;
  const root = prefix(undefined, options.bos, 0, false);
  root.blank = 0;
  let beam = [root];
  for (let slot = 0; slot < slots; slot++) {
    const reached = new Set<Prefix>();
    const reach = (to: Prefix, blank: number, last: number) => {
      if (blank === -Infinity && last === -Infinity) return;
      to.nextBlank = logAdd(to.nextBlank, blank);
      to.nextLast = logAdd(to.nextLast, last);
      reached.add(to);
    };
    for (const from of beam) {
      const either = logAdd(from.blank, from.last);
      for (let i = slot * k; i < (slot + 1) * k; i++) {
        const token = tokens[i] ?? 0;
        const logProb = logProbs[i] ?? -Infinity;
        if (logProb === -Infinity) continue;
        if (token === options.blank || from.ended) {
          // Nothing is read behind the end, whatever stands there.
          reach(from, either + logProb, -Infinity);
        } else if (from.parent && token === from.token) {
          reach(from, -Infinity, from.last + logProb);
          reach(follow(from, token, model, options), -Infinity, from.blank + logProb);
        } else {
          reach(follow(from, token, model, options), -Infinity, either + logProb);
        }
      }
    }
    for (const one of new Set([...beam, ...reached])) {
      [one.blank, one.last] = [one.nextBlank, one.nextLast];
      [one.nextBlank, one.nextLast] = [-Infinity, -Infinity];
    }
    beam = [...reached].sort((a, b) => rank(b) - rank(a)).slice(0, options.width);
  }
  // A text may be there twice: ended, and filling every slot without an end.
  const texts = beam.map(({ history, ended }) => history.slice(1, ended ? -1 : undefined));
  return [...new Map(texts.map((text) => [text.join(), text])).values()];
}

/** What the language model and the bonus add to a text's score, its end included. */
export function judge(
  text: readonly number[],
  model: LanguageModel,
  { languageWeight, bonus, bos, eos }: BeamOptions,
): number {
  const history = [bos, ...text, eos];
  let judged = 0;
  for (let i = 1; i < history.length; i++) {
    judged += languageWeight * model.logProb(history.slice(0, i), history[i] ?? eos) + bonus;
  }
  return judged;
}

function rank(one: Prefix): number {
  return logAdd(one.blank, one.last) + one.judged;
}

/** `from` with one more token; the same object each time. */
function follow(
  from: Prefix,
  token: number,
  model: LanguageModel,
  { languageWeight, bonus, eos }: BeamOptions,
): Prefix {
  let to = from.followers.get(token);
  if (!to) {
    const judged = from.judged + languageWeight * model.logProb(from.history, token) + bonus;
    to = prefix(from, token, judged, token === eos);
    from.followers.set(token, to);
  }
  return to;
}

function prefix(parent: Prefix | undefined, token: number, judged: number, ended: boolean): Prefix {
  return {
    parent,
    token,
    history: parent ? [...parent.history, token] : [token],
    judged,
    ended,
    followers: new Map(),
    blank: -Infinity,
    last: -Infinity,
    nextBlank: -Infinity,
    nextLast: -Infinity,
  };
}
