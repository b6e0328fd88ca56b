/** Errors as plain data, since Comlink would carry their message alone. */
import { NarvlError } from '../errors.ts';
import type { ErrorData, Outcome } from '../protocol.ts';

/** What `work` comes to, as data. */
export async function outcomeOf<T>(work: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    return { ok: false, error: toErrorData(error) };
  }
}

/** Code and message of an error; one that is not ours is the worker's own failure. */
function toErrorData(error: unknown): ErrorData {
  if (error instanceof NarvlError) return { code: error.code, message: error.message };
  if (error instanceof DOMException && error.name === 'AbortError') {
    return { code: 'aborted', message: 'The call was aborted by its signal' };
  }
  return { code: 'worker-failed', message: error instanceof Error ? error.message : String(error) };
}
