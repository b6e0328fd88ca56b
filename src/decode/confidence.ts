/** How sure a text deserves to be: from slots' probabilities to how often such a text is right. */

/**
 * How often texts of a mean log probability are right: points of a rising curve, straight between
 * them and level beyond. Fitted by training/scoring/calibration.py.
 */
export type Curve = readonly (readonly [meanLogProb: number, right: number])[];

/** What a task's confidence is of, and how it was calibrated if it was. */
export interface Judgement {
  /** A text is right as a whole, as an answer is; or so many of its words are, as of a caption. */
  readonly of: 'text' | 'words';
  readonly curve?: Curve | undefined;
  /**
   * Function words, of one token each, where they have a curve of their own. "a" is right of nearly every
   * photo, so that a text is only as sure as its other words are.
   */
  readonly free?: { readonly tokens: ReadonlySet<number>; readonly curve: Curve } | undefined;
}

/**
 * The probability, 0…1, that tokens of these log probabilities are right: by the curve over their
 * mean, so that a long text is not less sure for its length. Without a curve their geometric mean,
 * which is no frequency.
 */
export function sureness(logProbs: readonly number[], curve: Curve | undefined): number {
  if (logProbs.length === 0) return 0;
  const mean = logProbs.reduce((sum, logProb) => sum + logProb, 0) / logProbs.length;
  return curve ? along(curve, mean) : Math.exp(mean);
}

function along(curve: Curve, x: number): number {
  const above = curve.findIndex(([at]) => at >= x);
  const [x1, y1] = curve.at(above) ?? [0, 0]; // The last, if all are below.
  const [x0, y0] = curve[above - 1] ?? [x1, y1];
  return x1 > x0 ? y0 + ((x - x0) / (x1 - x0)) * (y1 - y0) : y1;
}
