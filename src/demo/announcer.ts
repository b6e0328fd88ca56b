/** The page's one voice for screen readers: cards come and go, the live region stays. */
import { byId, make } from './dom.ts';

/** Enough that a burst of captions is read out in full, without the log growing for ever. */
const KEPT = 20;

/** Have `text` read out when the reader is next idle. */
export function announce(text: string): void {
  const log = byId('announcer', HTMLDivElement);
  log.append(make('p', {}, text));
  while (log.childElementCount > KEPT) log.firstElementChild?.remove();
}
