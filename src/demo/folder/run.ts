/** Writes the texts of a folder's photos: two at a time, behind everything else that is asked. */
import type { Caption } from '../../index.ts';
import { asNarvlError, isPassing } from '../errors.ts';
import { sentence } from '../format.ts';
import type { Photo } from '../photo.ts';
import { createRow, isSettled, type Row } from './rows.ts';

/**
 * One at work and one that waits, so that the worker has always something to do. A photo is opened when
 * it is its turn: of the others there are files and no pixels, however large the folder is.
 */
const AT_ONCE = 2;

/** Who writes a photo's caption. */
export type WriteCaption = (photo: Photo, signal: AbortSignal) => Promise<Caption>;

/** The rows of a folder and the work on them, which can be stopped and gone on with. */
export class Run {
  readonly #write: WriteCaption;
  readonly #onChange: (row: Row) => void;
  readonly #rows: Row[] = [];
  #stop = new AbortController();
  #active = 0;

  /** @param onChange is told of each row whose state or text the run changed */
  constructor(write: WriteCaption, onChange: (row: Row) => void) {
    this.#write = write;
    this.#onChange = onChange;
  }

  get rows(): readonly Row[] {
    return this.#rows;
  }

  /** How many rows need nothing more of the model. */
  get settled(): number {
    return this.#rows.filter(isSettled).length;
  }

  get stopped(): boolean {
    return this.#stop.signal.aborted;
  }

  /** How many rows another try may get further. */
  get passing(): number {
    return this.#rows.filter(mayPass).length;
  }

  /** More photos, behind those that are there. */
  add(photos: readonly Photo[]): readonly Row[] {
    const added = photos.map(createRow);
    this.#rows.push(...added);
    this.#fill();
    return added;
  }

  /** Stop; what is under way waits again, and what is written stays. */
  stop(): void {
    this.#stop.abort();
  }

  /** Go on after a stop, and try again what failed for a reason that may pass. */
  resume(): void {
    this.#stop = new AbortController();
    for (const row of this.#rows.filter(mayPass)) this.#set(row, 'waiting');
    this.#fill();
  }

  #fill(): void {
    const { signal } = this.#stop;
    while (!signal.aborted && this.#active < AT_ONCE) {
      const row = this.#rows.find(({ state, edited }) => state === 'waiting' && !edited);
      if (!row) return;
      this.#active++;
      void this.#writeOne(row, signal).finally(() => {
        this.#active--;
        this.#fill();
      });
    }
  }

  async #writeOne(row: Row, signal: AbortSignal): Promise<void> {
    row.error = undefined;
    this.#set(row, 'looking');
    try {
      const caption = await this.#write(row.photo, signal);
      row.caption = caption;
      if (!row.edited) row.text = sentence(caption.text);
      this.#set(row, 'done');
    } catch (error) {
      if (signal.aborted) return this.#set(row, 'waiting');
      row.error = asNarvlError(error);
      this.#set(row, 'failed');
    }
  }

  #set(row: Row, state: Row['state']): void {
    row.state = state;
    this.#onChange(row);
  }
}

function mayPass({ state, error }: Row): boolean {
  return state === 'failed' && error !== undefined && isPassing(error);
}
