/**
 * Shares what a location token has with those near it.
 *
 * To Query-CTC a box whose edge is one bin off is another text, so that the likeliest of all boxes is a narrow
 * peak. What overlaps the truth is the middle of where edges are likely. A kernel density estimate of each slot's
 * edge finds that: its bins convolved with a Gaussian (Parzen 1962).
 */
import type { TokenTable } from '../model/decoder.ts';

/** Columns of the blank and the end, which stand before the bins. */
const OTHERS = 2;

/**
 * The table with every bin's probability spread over the bins around it; each slot's bins keep their sum.
 *
 * @param table natural logs of the blank, the end and the bins in rising order: [slots, 2 + bins]
 * @param spread the Gaussian's standard deviation in bins; 0 leaves all as it is
 */
export function nearTable(table: TokenTable, spread: number): TokenTable {
  if (spread === 0) return table;
  const columns = table.tokens.length;
  const bins = columns - OTHERS;
  const kernel = gaussians(bins, spread);
  const logProbs = Float32Array.from(table.logProbs);
  for (let row = OTHERS; row < logProbs.length; row += columns) {
    const from = Float64Array.from(table.logProbs.subarray(row, row + bins), Math.exp);
    for (let to = 0; to < bins; to++) {
      let sum = 0;
      for (let bin = 0; bin < bins; bin++) sum += (from[bin] ?? 0) * (kernel[bin * bins + to] ?? 0);
      logProbs[row + to] = Math.log(sum);
    }
  }
  return { tokens: table.tokens, logProbs };
}

/** What each bin gives to each: [bins, bins], rows of which sum to 1, so that a border loses nothing. */
function gaussians(bins: number, spread: number): Float64Array {
  const kernel = new Float64Array(bins * bins);
  for (let bin = 0; bin < bins; bin++) {
    const row = kernel.subarray(bin * bins, (bin + 1) * bins);
    let sum = 0;
    for (let to = 0; to < bins; to++) {
      const weight = Math.exp(-0.5 * ((to - bin) / spread) ** 2);
      row[to] = weight;
      sum += weight;
    }
    for (let to = 0; to < bins; to++) row[to] = (row[to] ?? 0) / sum;
  }
  return kernel;
}
