/** How likely each token is in each slot, as far as that is known: what texts are scored and aligned by. */
import type { Posteriors, Slot, TokenTable } from '../model/decoder.ts';
import { logAdd } from './log-add.ts';

/** A token, and the natural log of its probability in a slot. */
export interface Choice {
  readonly token: number;
  readonly logProb: number;
}

/** The slots of one image, by what is known of them. */
export interface Emissions {
  readonly slots: number;
  /** log p of a token in a slot; -Infinity if it is not known. */
  logProb(slot: number, token: number): number;
  /** log p of any token that is known, 0 if all are. */
  any(slot: number): number;
  likeliest(slot: number): Choice;
}

/** Of the likeliest tokens of each slot. */
export function ofPosteriors({ k, tokens, logProbs }: Posteriors): Emissions {
  const at = (i: number) => logProbs[i] ?? -Infinity;
  return {
    slots: tokens.length / k,
    logProb(slot, token) {
      for (let i = slot * k; i < (slot + 1) * k; i++) {
        if (tokens[i] === token) return at(i);
      }
      return -Infinity;
    },
    any: (slot) => logProbs.slice(slot * k, (slot + 1) * k).reduce(logAdd, -Infinity),
    likeliest: (slot) => ({ token: tokens[slot * k] ?? 0, logProb: at(slot * k) }),
  };
}

/** Of the tokens of a table, which texts can be spelt with; `likeliest` is a choice for each slot. */
export function ofTable({ tokens, logProbs }: TokenTable, likeliest: readonly Slot[]): Emissions {
  const columns = new Map(Array.from(tokens, (token, column) => [token, column]));
  return {
    slots: likeliest.length,
    logProb(slot, token) {
      const column = columns.get(token);
      if (column === undefined) return -Infinity;
      return logProbs[slot * tokens.length + column] ?? -Infinity;
    },
    any: () => 0,
    likeliest: (slot) => likeliest[slot] ?? { token: 0, logProb: -Infinity },
  };
}
