/** What kind of thing a caller gave, also if it is of another realm, such as an iframe's. */

/**
 * The name of an object's interface (`HTMLImageElement`, `Blob`), or a primitive as it is written. What
 * `instanceof` says holds for objects of one's own realm alone, and wants classes that workers lack.
 */
export function kindOf(value: unknown): string {
  if (value === null || typeof value !== 'object') return String(value);
  return Object.prototype.toString.call(value).slice(8, -1);
}
