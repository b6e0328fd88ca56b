/** Whether a picture is in sight: one observer for all of them. */
import { abortedError } from './aborted.ts';

const waiting = new Map<Element, Set<() => void>>();
let observer: IntersectionObserver | undefined;

/** Settles once the element is in sight. @throws NarvlError `aborted`. */
export function whenVisible(element: Element, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(abortedError(signal));
      return;
    }
    const seen = () => {
      signal.removeEventListener('abort', aborted);
      forget(element, seen);
      resolve();
    };
    const aborted = () => {
      forget(element, seen);
      reject(abortedError(signal));
    };
    signal.addEventListener('abort', aborted, { once: true });
    const others = waiting.get(element);
    if (others) others.add(seen);
    else waiting.set(element, new Set([seen]));
    observer ??= new IntersectionObserver(look);
    observer.observe(element);
  });
}

function look(entries: readonly IntersectionObserverEntry[]): void {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    for (const seen of [...(waiting.get(target) ?? [])]) seen();
  }
}

function forget(element: Element, seen: () => void): void {
  const others = waiting.get(element);
  others?.delete(seen);
  if (others && others.size > 0) return;
  waiting.delete(element);
  observer?.unobserve(element);
}

/** Whether the element is in the window now. */
export function isInSight(element: Element): boolean {
  if (!element.checkVisibility()) return false;
  const { top, bottom, left, right } = element.getBoundingClientRect();
  return bottom >= 0 && right >= 0 && top <= innerHeight && left <= innerWidth;
}
