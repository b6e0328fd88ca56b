/** URLs as callers give them: relative ones are so to the page, or to the worker that the library is used in. */
import { NarvlError } from '../errors.ts';
import { kindOf } from './kind.ts';

/**
 * @param expected what the error says: `Expected …`
 * @throws NarvlError `invalid-argument` if it is no URL, or a relative one where nothing has an address.
 */
export function absoluteUrl(url: string | URL, expected: string): URL {
  try {
    if (isUrl(url)) return new URL(url, globalThis.document?.baseURI ?? globalThis.location?.href);
  } catch (cause) {
    throw new NarvlError('invalid-argument', `${expected}, got ${url}`, { cause });
  }
  throw new NarvlError('invalid-argument', `${expected}, got ${kindOf(url)}`);
}

/** Whether it is of a URL's type, whatever it says. */
export function isUrl(value: unknown): value is string | URL {
  return typeof value === 'string' || kindOf(value) === 'URL';
}
