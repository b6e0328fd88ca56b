/** When what is said is a guess, and a page should say so. */

/** What is said: a caption, which is as sure as its content words are, or anything else. */
export type Said = 'caption' | 'answer';

/**
 * Below these it is. Captions cannot be measured by a half: of the content words of one person's, 57 % are in four
 * others of the photo (RESULTS.md).
 */
const LEAST: Readonly<Record<Said, number>> = { caption: 0.35, answer: 0.5 };

/**
 * Whether something of this confidence is a guess: an answer, a box or a judgement that is more likely wrong than
 * right; or a caption of which people would use hardly more than a third of the words.
 */
export function isGuess(confidence: number, said: Said): boolean {
  return confidence < LEAST[said];
}
