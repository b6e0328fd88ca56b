/** A folder's photos with what is known of each: a machine's text, a person's, or an error. */
import type { Caption, NarvlError } from '../../index.ts';
import type { Photo } from '../photo.ts';

/** A photo of the folder. Its text is the model's until a person writes in it, and theirs from then on. */
export interface Row {
  readonly photo: Photo;
  /** In the folder, with slashes: `beach/dog.jpg`. */
  readonly path: string;
  state: 'waiting' | 'looking' | 'done' | 'failed';
  /** What the photo's `alt` would be; empty before anybody wrote one. */
  text: string;
  /** Whether a person wrote the text. */
  edited: boolean;
  caption?: Caption | undefined;
  error?: NarvlError | undefined;
}

export function createRow(photo: Photo): Row {
  return { photo, path: photo.name, state: 'waiting', text: '', edited: false };
}

/** Whether the model has nothing more to do for this photo. */
export function isSettled({ state, edited }: Row): boolean {
  return state === 'done' || state === 'failed' || (edited && state === 'waiting');
}
