/** Files with something changed, as fast-check draws it. */
import fc from 'fast-check';

/** What is done to a file, by shares of its length, so that a small one says all about a large one. */
const change = fc.oneof(
  fc.record({ kind: fc.constant('byte' as const), at: fc.nat(), value: fc.nat(255) }),
  fc.record({ kind: fc.constant('bit' as const), at: fc.nat(), value: fc.nat(7) }),
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat(), value: fc.constant(0) }),
  fc.record({ kind: fc.constant('insert' as const), at: fc.nat(), value: fc.nat(255) }),
  fc.record({
    kind: fc.constant('drop' as const),
    at: fc.nat(),
    value: fc.integer({ min: 1, max: 64 }),
  }),
  fc.record({ kind: fc.constant('u32' as const), at: fc.nat(), value: fc.nat(0xffffffff) }),
);

/** A few of them. */
export const changes = fc.array(change, { minLength: 1, maxLength: 3 });

/** One of them. */
export type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

/** @param within changes lie in the first so many bytes, where a file says how it is to be read */
export function mutant(
  file: Uint8Array,
  list: readonly Change[],
  within = file.length,
): Uint8Array<ArrayBuffer> {
  let all = new Uint8Array(file);
  for (const { kind, at: place, value } of list) {
    const at = place % Math.max(1, Math.min(within, all.length));
    if (kind === 'byte') all[at] = value;
    if (kind === 'bit') all[at] = (all[at] ?? 0) ^ (1 << value);
    if (kind === 'u32' && at + 4 <= all.length) new DataView(all.buffer).setUint32(at, value, true);
    if (kind === 'cut') all = all.slice(0, at);
    if (kind === 'insert') all = spliced(all, at, 0, [value]);
    if (kind === 'drop') all = spliced(all, at, value, []);
  }
  return all;
}

/** `bytes` with up to `dropped` of them from `at` on replaced. */
function spliced(
  bytes: Uint8Array,
  at: number,
  dropped: number,
  inserted: readonly number[],
): Uint8Array<ArrayBuffer> {
  const rest = bytes.subarray(at + dropped);
  const next = new Uint8Array(at + inserted.length + rest.length);
  next.set(bytes.subarray(0, at));
  next.set(inserted, at);
  next.set(rest, at + inserted.length);
  return next;
}
