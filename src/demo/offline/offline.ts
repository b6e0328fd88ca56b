/** The page's part of working offline: has itself kept, and says when it is. */
import { byId } from '../dom.ts';

/** Call it when the model is there, whose download this would only slow down; again does no harm. */
export async function keepForOffline(): Promise<void> {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  try {
    await navigator.serviceWorker.register(`${import.meta.env.BASE_URL}service-worker.js`);
    await navigator.serviceWorker.ready;
    byId('offline', HTMLParagraphElement).hidden = false;
  } catch {
    // Not over HTTPS, or not allowed: the page works as before, with a network.
  }
}
