/** What the page makes of errors. */
import { NarvlError, type NarvlErrorCode } from '../index.ts';

/** Errors that another try may get past; what is wrong with a photo or a question stays wrong. */
const passing: ReadonlySet<NarvlErrorCode> = new Set<NarvlErrorCode>([
  'device-lost',
  'download-failed',
  'integrity',
  'out-of-memory',
  'webgpu-unavailable',
  'worker-failed',
]);

/** Whether another try may get past this error. */
export function isPassing({ code }: NarvlError): boolean {
  return passing.has(code);
}

/** Everything the library throws is typed already; what else may come is a fault of the page. */
export function asNarvlError(error: unknown): NarvlError {
  if (error instanceof NarvlError) return error;
  return new NarvlError('worker-failed', String(error), { cause: error });
}
