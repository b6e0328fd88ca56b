/** Whose the alternative text of a picture is, and what a machine may write there. */

/**
 * Whether a picture wants a text: `missing` if it has none; `decorative` if its author said that there is
 * nothing to tell; `human` if somebody wrote one; `machine` if this library did.
 */
export type Standing = 'missing' | 'decorative' | 'human' | 'machine';

/** What marks a text that no human has seen. */
const MARK = 'data-narvl';
const MACHINE = 'machine';

/** Characters; longer texts are a burden to listen to. A soft target: nothing is cut. */
export const SOFT_LENGTH = 125;

/** Whose the picture's alternative text is. A label for assistive technology counts as a human's text. */
export function standingOf(image: HTMLImageElement): Standing {
  const role = image.getAttribute('role');
  if (role === 'none' || role === 'presentation') return 'decorative';
  if (image.closest('[aria-hidden="true"]')) return 'decorative';
  if (hasText(image, 'aria-label') || hasText(image, 'aria-labelledby')) return 'human';
  if (!image.hasAttribute('alt')) return 'missing';
  if (!hasText(image, 'alt')) return 'decorative';
  return image.getAttribute(MARK) === MACHINE ? 'machine' : 'human';
}

function hasText(image: HTMLImageElement, attribute: string): boolean {
  return (image.getAttribute(attribute) ?? '').trim() !== '';
}

/** Write the alternative text, marked as a machine's or as one that a human has approved. */
export function writeAlt(image: HTMLImageElement, text: string, by: 'machine' | 'human'): void {
  if (by === 'machine') image.setAttribute(MARK, MACHINE);
  else image.removeAttribute(MARK);
  image.alt = text;
}

/** Take a machine's text away again: the picture that it describes is gone. A human's text stays. */
export function eraseMachineAlt(image: HTMLImageElement): void {
  if (standingOf(image) !== 'machine') return;
  image.removeAttribute('alt');
  image.removeAttribute(MARK);
}

/** Say no longer that the text is a machine's: somebody has changed it. */
export function unmarkAlt(image: HTMLImageElement): void {
  image.removeAttribute(MARK);
}

/** A text as it stands in an `alt`: one line, with a capital; the model writes in lower case. */
export function toAlt(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.charAt(0).toLocaleUpperCase() + line.slice(1);
}

/** How many characters a text is past the soft target; 0 if none. */
export function excessOf(text: string): number {
  return Math.max(0, [...text.trim()].length - SOFT_LENGTH);
}
