/** Random posteriors over an alphabet so small that every path can be written out. */
import fc from 'fast-check';
import type { Posteriors } from '../model/decoder.ts';
import { collapse } from '../reference/collapse.ts';

export const [blank, bos, eos] = [0, 1, 2];
export const alphabet = [blank, eos, 3, 4];

const row = fc.array(fc.double({ min: -6, max: 3, noNaN: true }), {
  minLength: alphabet.length,
  maxLength: alphabet.length,
});

/** Posteriors of `slots` slots over the whole alphabet, each a distribution, likeliest first. */
export const anyPosteriors = (slots: number) =>
  fc
    .array(row, { minLength: slots, maxLength: slots })
    .map((rows) => sorted(rows.map((row) => normalised(row))));

/** Posteriors that leave no doubt of a path. */
export function certain(path: readonly number[]): Posteriors {
  return sorted(path.map((token) => alphabet.map((other) => (other === token ? 0 : -40))));
}

function normalised(row: readonly number[]): number[] {
  const total = Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0));
  return row.map((x) => x - total);
}

function sorted(rows: readonly (readonly number[])[]): Posteriors {
  const pairs = rows.flatMap((row) =>
    row
      .map((logProb, i) => ({ logProb, token: alphabet[i] ?? 0 }))
      .sort((a, b) => b.logProb - a.logProb),
  );
  return {
    k: alphabet.length,
    tokens: Uint32Array.from(pairs, ({ token }) => token),
    // In f64, so that what differs is the search.
    logProbs: pairs.map(({ logProb }) => logProb) as unknown as Float32Array,
  };
}

/** One token a slot, the text that they collapse to, and how likely that is. */
export interface Path {
  readonly tokens: readonly number[];
  readonly text: readonly number[];
  readonly logProb: number;
}

/** Every path there is. */
export function everyPath({ k, tokens: all, logProbs }: Posteriors): Path[] {
  const slots = logProbs.length / k;
  return Array.from({ length: k ** slots }, (_, path) => {
    const digits = Array.from({ length: slots }, (_, slot) => Math.floor(path / k ** slot) % k);
    const tokens = digits.map((digit, slot) => all[slot * k + digit] ?? 0);
    const kept = collapse(tokens, blank, eos);
    return {
      tokens,
      text: tokens.filter((_, slot) => kept[slot]),
      logProb: digits.reduce((sum, digit, slot) => sum + (logProbs[slot * k + digit] ?? 0), 0),
    };
  });
}
