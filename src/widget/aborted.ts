/** The error of what nobody waits for any more. */
import { NarvlError } from '../index.ts';

export function abortedError({ reason }: AbortSignal): NarvlError {
  return new NarvlError('aborted', 'The picture changed, or nobody wants its text any more', {
    cause: reason,
  });
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortedError(signal);
}
