/** The page's part of working offline: has itself kept, and says when it is. */
import type { Caption } from '../../index.ts';
import { byId } from '../dom.ts';
import type { PageMessage } from './service-worker.ts';

/**
 * Call it when the model is there, whose download this would only slow down; again does no harm.
 * @param device what the model runs on: what that needs is kept, and nothing else
 */
export async function keepForOffline({ encoder, decoder }: Caption['device']): Promise<void> {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  try {
    await navigator.serviceWorker.register(`${import.meta.env.BASE_URL}service-worker.js`);
    const { active } = await navigator.serviceWorker.ready;
    const ours = encoder === 'webgpu' && decoder === 'webgpu';
    if (!ours && !(active && (await keepsRuntime(active)))) return;
    byId('offline', HTMLParagraphElement).hidden = false;
  } catch {
    // Not over HTTPS, or not allowed: the page works as before, with a network.
  }
}

/** Has onnxruntime kept. @returns whether all of it is. */
function keepsRuntime(worker: ServiceWorker): Promise<boolean> {
  const { port1, port2 } = new MessageChannel();
  const answer = new Promise<boolean>((resolve) => {
    port1.onmessage = ({ data }: MessageEvent<boolean>) => resolve(data);
  });
  const message: PageMessage = 'keep onnxruntime';
  worker.postMessage(message, [port2]);
  return answer;
}
