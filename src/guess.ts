/** When what is said is a guess, and a page should say so. */

/** What is said: a caption, which is as sure as its content words are, or anything else. */
export type Said = 'caption' | 'answer';

/**
 * Below these it is: more likely wrong than right. A caption is of the share of its content words that people use, and
 * of their own 57 % are in four others of the photo; read beside photos, captions below this were wrong about the
 * main subject or no English more often than not (training/RESULTS.md).
 */
const LEAST: Readonly<Record<Said, number>> = { caption: 0.35, answer: 0.5 };

/**
 * Whether something of this confidence is a guess: an answer, a box, a judgement or a caption that is more likely
 * wrong than right.
 */
export function isGuess(confidence: number, said: Said): boolean {
  return confidence < LEAST[said];
}
