/** The texts that a panel offers one after another. */
import type { Caption } from '../index.ts';
import { toAlt } from './alt.ts';

/** A ring of texts, one of them current. What its user makes of a text stays in its place. */
export class Choices {
  readonly #texts: string[];
  #at = 0;

  constructor({ text, alternatives = [] }: Pick<Caption, 'text' | 'alternatives'>) {
    const texts = [text, ...alternatives.map((other) => other.text)].map(toAlt);
    this.#texts = [...new Set(texts)].filter((one) => one !== '');
  }

  get count(): number {
    return this.#texts.length;
  }

  /** The current text; empty if there is none. */
  get current(): string {
    return this.#texts[this.#at] ?? '';
  }

  /** Keep `edited` in the place of the current text and go on to the next. */
  next(edited: string): string {
    if (this.#texts.length === 0) return edited;
    this.#texts[this.#at] = edited;
    this.#at = (this.#at + 1) % this.#texts.length;
    return this.current;
  }
}
