/** The cards on the page: newest on top, each captioned by itself, removable one by one or at once. */
import type { Caption, ImageSource } from '../index.ts';
import { type Photo, PhotoCard } from './card.ts';
import { byId } from './dom.ts';
import { asNarvlError } from './model-host.ts';

/** Who writes the captions. */
export interface Captioner {
  /** The caption of `image`; `onStart` is called as soon as there is a model to ask. */
  caption(image: ImageSource, signal: AbortSignal, onStart: () => void): Promise<Caption>;
}

/** A card with the way to stop its work. */
interface Entry {
  readonly card: PhotoCard;
  readonly stop: AbortController;
}

export class Gallery {
  readonly #captioner: Captioner;
  readonly #section = byId('results', HTMLElement);
  readonly #cards = byId('cards', HTMLDivElement);
  #entries: Entry[] = [];

  constructor(captioner: Captioner) {
    this.#captioner = captioner;
    byId('clear', HTMLButtonElement).addEventListener('click', () => {
      for (const entry of [...this.#entries]) this.#remove(entry);
    });
  }

  /** Caption these photos, in their order, above those that are there. */
  add(photos: readonly Photo[]): void {
    const added = photos.map((photo) => {
      const card = new PhotoCard(photo, {
        onRemove: () => this.#remove(entry),
        onRetry: () => void this.#caption(entry),
      });
      const entry: Entry = { card, stop: new AbortController() };
      return entry;
    });
    this.#entries.unshift(...added);
    this.#cards.prepend(...added.map(({ card }) => card.element));
    this.#section.hidden = false;
    this.#section.scrollIntoView({ block: 'start' });
    for (const entry of added) void this.#caption(entry);
  }

  async #caption({ card, stop }: Entry): Promise<void> {
    card.showWaiting();
    try {
      const caption = await this.#captioner.caption(card.photo.source, stop.signal, () =>
        card.showLooking(),
      );
      if (!stop.signal.aborted) card.showCaption(caption);
    } catch (error) {
      if (!stop.signal.aborted) card.showError(asNarvlError(error));
    }
  }

  /** Keyboard users stay where they are: on the next card, or back where photos are added. */
  #remove(entry: Entry): void {
    entry.stop.abort();
    const at = this.#entries.indexOf(entry);
    this.#entries = this.#entries.filter((other) => other !== entry);
    entry.card.remove();
    this.#section.hidden = this.#entries.length === 0;
    const next = this.#entries[Math.min(at, this.#entries.length - 1)];
    (next?.card.removeButton ?? byId('choose', HTMLButtonElement)).focus();
  }
}
