/** What a captioner failed with, as the library's own error. */
import { NarvlError } from '../index.ts';

/** Everything the library throws is typed already; a page's own captioner may throw anything. */
export function asNarvlError(error: unknown): NarvlError {
  if (error instanceof NarvlError) return error;
  return new NarvlError('worker-failed', error instanceof Error ? error.message : String(error), {
    cause: error,
  });
}
