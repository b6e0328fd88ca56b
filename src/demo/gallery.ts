/** The cards on the page: newest on top, each captioned by itself, removable one by one or at once. */
import type { Caption } from '../index.ts';
import type { Asked, AskKind, Found } from './asking.ts';
import { PhotoCard } from './card.ts';
import { byId } from './dom.ts';
import { asNarvlError } from './errors.ts';
import type { PhotoOptions } from './model-host.ts';
import type { Photo } from './photo.ts';

/** Who writes captions and answers. */
export interface Writer {
  /** What can be asked. */
  readonly asks: readonly AskKind[];
  /** The caption of a photo. */
  caption(photo: Photo, options: PhotoOptions): Promise<Caption>;
  /** What is asked about a photo. */
  ask(photo: Photo, asked: Asked, signal: AbortSignal): Promise<Found>;
  /** No more will be asked about a photo. */
  forget(photo: Photo): void;
}

/** Other texts, for where the model only guesses. */
const ALTERNATIVES = 3;

/** A card with the way to stop its work. */
interface Entry {
  readonly card: PhotoCard;
  readonly stop: AbortController;
}

export class Gallery {
  readonly #writer: Writer;
  readonly #section = byId('results', HTMLElement);
  readonly #cards = byId('cards', HTMLDivElement);
  #entries: Entry[] = [];

  constructor(writer: Writer) {
    this.#writer = writer;
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
        onAsk: (asked) => this.#writer.ask(photo, asked, stop.signal),
      });
      const stop = new AbortController();
      const entry: Entry = { card, stop };
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
      const caption = await this.#writer.caption(card.photo, {
        signal: stop.signal,
        explain: true,
        alternatives: ALTERNATIVES,
        onStart: () => card.showLooking(),
      });
      if (stop.signal.aborted) return;
      card.showCaption(caption);
      card.offerQuestions(this.#writer.asks);
    } catch (error) {
      if (!stop.signal.aborted) card.showError(asNarvlError(error));
    }
  }

  /** Keyboard users stay where they are: on the next card, or back where photos are added. */
  #remove(entry: Entry): void {
    entry.stop.abort();
    this.#writer.forget(entry.card.photo);
    const at = this.#entries.indexOf(entry);
    this.#entries = this.#entries.filter((other) => other !== entry);
    entry.card.remove();
    this.#section.hidden = this.#entries.length === 0;
    const next = this.#entries[Math.min(at, this.#entries.length - 1)];
    (next?.card.removeButton ?? byId('choose', HTMLButtonElement)).focus();
  }
}
