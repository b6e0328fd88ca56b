/** What a file or a setting is known by. */
import { NarvlError } from '../errors.ts';

/**
 * SHA-256 in lower-case hexadecimal digits.
 * @throws NarvlError `integrity` where the page may not compute it.
 */
export async function sha256(data: BufferSource): Promise<string> {
  checkHashing();
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', data));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** @throws NarvlError `integrity` where the page may not compute hashes. */
export function checkHashing(): void {
  if (globalThis.crypto?.subtle) return;
  throw new NarvlError('integrity', 'Model files are checked on https or localhost only');
}
