/** A page to put pictures into, photographs to put there, and what happens to them. */

import { vi } from 'vitest';
import type { NarvlEventMap, NarvlImage, State } from '../../src/widget/index.ts';

/** The demo's samples, as the dev server has them. */
export const photos = {
  cat: '/samples/cat.jpg',
  coffee: '/samples/coffee.jpg',
  raccoon: '/samples/raccoon.jpg',
} as const;

/** Where the dev server has the shipped model. */
export const MODEL = '/models/narvl-photo/';

/** Milliseconds to load a model or to caption, on a busy machine that renders in software. */
const PATIENCE = 120_000;

/** Put markup into the page. */
export function mount(html: string): HTMLElement {
  const main = document.createElement('main');
  main.innerHTML = html;
  document.body.replaceChildren(main);
  return main;
}

/** The only element of this kind in the page. */
export function only<K extends keyof HTMLElementTagNameMap>(tag: K): HTMLElementTagNameMap[K] {
  const [found, ...others] = document.querySelectorAll(tag);
  if (!found || others.length > 0) throw new Error(`Expected one <${tag}>`);
  return found;
}

/** Put one `<narvl-image>` with these attributes around a picture into the page. */
export function wrap(
  attributes: string,
  picture: string,
): { element: NarvlImage; image: HTMLImageElement } {
  mount(`<narvl-image model="${MODEL}" ${attributes}>${picture}</narvl-image>`);
  return { element: only('narvl-image'), image: only('img') };
}

/** Wait until an element is in one of these states. */
export async function reach(element: NarvlImage, ...states: State[]): Promise<void> {
  await vi.waitUntil(() => states.includes(element.state), { timeout: PATIENCE, interval: 30 });
}

/** What an element's panel has. */
export function panelOf(element: NarvlImage) {
  const part = (name: string) => {
    const found = element.shadowRoot?.querySelector(`[part~="${name}"]`);
    if (!(found instanceof HTMLElement)) throw new Error(`Expected a part ${name}`);
    return found;
  };
  const field = part('field');
  if (!(field instanceof HTMLTextAreaElement)) throw new Error('Expected a text area');
  return { part, field, panel: part('panel') };
}

/** All that elements tell the page, as it comes. */
export function record<K extends keyof NarvlEventMap>(name: K): NarvlEventMap[K][] {
  const events: NarvlEventMap[K][] = [];
  document.addEventListener(name, (event) => events.push(event as NarvlEventMap[K]));
  return events;
}

/** Nothing happens for so long; there is no other way to see that something does not. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
