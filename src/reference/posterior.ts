/** From logits to posteriors: log-sum-exp over the vocabulary and the top-k tokens of each row. */
import type { Posteriors, TokenTable } from '../model/decoder.ts';

/**
 * The k likeliest tokens of every row with their log probabilities; of equals, the lower id first.
 *
 * @param logits [rows, vocabulary], finite
 * @param k at most `vocabulary`
 */
export function posteriors(logits: Float32Array, vocabulary: number, k: number): Posteriors {
  const rows = logits.length / vocabulary;
  const tokens = new Uint32Array(rows * k);
  const logProbs = new Float32Array(rows * k);
  for (let row = 0; row < rows; row++) {
    const rowLogits = logits.subarray(row * vocabulary, (row + 1) * vocabulary);
    const best = topK(rowLogits, k);
    const logTotal = logSumExp(rowLogits, rowLogits[best[0]!]!);
    best.forEach((token, rank) => {
      tokens[row * k + rank] = token;
      logProbs[row * k + rank] = rowLogits[token]! - logTotal;
    });
  }
  return { k, tokens, logProbs };
}

/** The log probabilities of some tokens in every row of logits [rows, vocabulary]. */
export function tokenTable(
  logits: Float32Array,
  vocabulary: number,
  tokens: Uint32Array,
): TokenTable {
  const logProbs = new Float32Array((logits.length / vocabulary) * tokens.length);
  for (let row = 0; row < logits.length / vocabulary; row++) {
    const rowLogits = logits.subarray(row * vocabulary, (row + 1) * vocabulary);
    const logTotal = logSumExp(
      rowLogits,
      rowLogits.reduce((a, b) => Math.max(a, b)),
    );
    tokens.forEach((token, column) => {
      logProbs[row * tokens.length + column] = rowLogits[token]! - logTotal;
    });
  }
  return { tokens, logProbs };
}

/** Indices of the k largest values, largest first; of equals, the lower index first. */
function topK(values: Float32Array, k: number): number[] {
  const best: number[] = [];
  for (let i = 0; i < values.length; i++) {
    if (best.length === k && !(values[i]! > values[best[k - 1]!]!)) continue;
    let rank = best.length;
    while (rank > 0 && values[i]! > values[best[rank - 1]!]!) rank--;
    best.splice(rank, 0, i);
    if (best.length > k) best.pop();
  }
  return best;
}

/** log Σ exp(values), with the largest of them taken out so that nothing overflows. */
function logSumExp(values: Float32Array, max: number): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.exp(values[i]! - max);
  return max + Math.log(sum);
}
