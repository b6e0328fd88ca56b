/** What was measured once on a device, kept in the browser for the next visits. */
import { sha256 } from '../model/sha256.ts';

const CACHE = 'narvl-tunings';

/** One thing that is measured. */
export interface Tuning {
  /** What was fastest when it was measured here; undefined if it never was. */
  readonly known: string | undefined;
  /** Remembers what is fastest; without a cache the next visit measures again. */
  keep(name: string): Promise<void>;
}

/** @param of everything that the outcome depends on, as JSON takes it; the browser's version is one more */
export async function openTuning(...of: readonly unknown[]): Promise<Tuning> {
  const hash = await sha256(new TextEncoder().encode(JSON.stringify([...of, navigator.userAgent])));
  const address = new URL(`?tuning=${hash}`, globalThis.location.href);
  const cache = await globalThis.caches?.open(CACHE).catch(() => undefined);
  const kept = await cache?.match(address).catch(() => undefined);
  return {
    known: await kept?.text().catch(() => undefined),
    keep: async (name) => {
      await cache?.put(address, new Response(name)).catch(() => undefined);
    },
  };
}
