/** A box over the photo, around what was asked for. */
import type { Located } from '../index.ts';
import { make } from './dom.ts';

/** The box over one photo: one at a time, or none. */
export interface FoundBox {
  /** Lies over the photo. */
  readonly element: HTMLElement;
  /** Show this box with its name. */
  show(thing: string, edges: Located['edges']): void;
  hide(): void;
}

export function createFoundBox(): FoundBox {
  const name = make('span', { class: 'found-name' });
  const element = make('div', { class: 'found', 'aria-hidden': 'true' }, name);
  element.hidden = true;
  return {
    element,
    show(thing, [x0, y0, x1, y1]) {
      name.textContent = thing;
      const sides = { left: x0, top: y0, right: 1 - x1, bottom: 1 - y1 };
      for (const [side, share] of Object.entries(sides)) {
        element.style.setProperty(side, `${100 * share}%`);
      }
      // The name would lie outside of the photo above a box at its upper edge, or right of one at its side.
      element.classList.toggle('found-high', y0 < 0.12);
      element.classList.toggle('found-right', x0 > 0.5);
      element.hidden = false;
    },
    hide() {
      element.hidden = true;
    },
  };
}
