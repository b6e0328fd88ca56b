/** Gives the visitor a file that was made here. */
import { make } from '../dom.ts';
import type { Export } from './export.ts';

/** Long enough for a browser that asks where to save it. */
const KEPT_MS = 60_000;

export function saveFile({ name, type, text }: Export): void {
  const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  make('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}
