/** How sure a text deserves to be: from slots' probabilities to how often such a text is right. */

/** Platt scaling (Platt 1999), fitted by training/calibrate.py. */
export interface Calibration {
  readonly scale: number;
  readonly offset: number;
}

/** What a task's confidence is of, and how it was calibrated if it was. */
export interface Judgement {
  /** A text is right as a whole, as an answer is; or so many of its words are, as of a caption. */
  readonly of: 'text' | 'words';
  readonly calibration?: Calibration | undefined;
}

/**
 * The probability, 0…1, that tokens of these log probabilities are right: a logistic function of
 * their mean, so that a long text is not less sure for its length. Without a calibration their
 * geometric mean, which is no frequency.
 */
export function sureness(
  logProbs: readonly number[],
  calibration: Calibration | undefined,
): number {
  if (logProbs.length === 0) return 0;
  const mean = logProbs.reduce((sum, logProb) => sum + logProb, 0) / logProbs.length;
  if (!calibration) return Math.exp(mean);
  return 1 / (1 + Math.exp(-(calibration.scale * mean + calibration.offset)));
}
