/** What the widget tells the page: events that bubble out of every shadow root. */
import type { Caption, NarvlError, Progress } from '../index.ts';

/** A text that is about to be written into a picture's `alt`. */
export interface Apply {
  readonly text: string;
  /** `human` if somebody chose it, `machine` if the element does so by itself. */
  readonly by: 'human' | 'machine';
  readonly image: HTMLImageElement;
  /** What the model said; not there if it failed and somebody wrote the text. */
  readonly caption?: Caption | undefined;
}

/** The events by name; `event.target` is the element, or the picture where there is none. */
export interface NarvlEventMap {
  /** The model's files arrive. */
  'narvl-progress': CustomEvent<Progress>;
  /** The model has described the picture. */
  'narvl-caption': CustomEvent<Caption>;
  /** An alternative text is about to be written; `preventDefault()` keeps it from being so. */
  'narvl-apply': CustomEvent<Apply>;
  'narvl-error': CustomEvent<NarvlError>;
}

declare global {
  interface HTMLElementEventMap extends NarvlEventMap {}
  interface DocumentEventMap extends NarvlEventMap {}
}

/** Tell the page. @returns whether nobody has prevented what is about to happen. */
export function emit<K extends keyof NarvlEventMap>(
  target: EventTarget,
  name: K,
  detail: NarvlEventMap[K]['detail'],
): boolean {
  const cancelable = name === 'narvl-apply';
  return target.dispatchEvent(
    new CustomEvent(name, { detail, bubbles: true, composed: true, cancelable }),
  );
}
