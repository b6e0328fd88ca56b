/**
 * What came of a file in a visit that ended before the file did, so that the next visit goes on with it.
 *
 * A cache has no files that grow, so a part is an entry, kept as soon as it is whole. Each carries its own
 * hash: who goes on with a part feeds it to the weights at once, long before the file's hash is known.
 */
import { sha256 as hashOf } from './sha256.ts';

/** Bytes of a part: few enough that little is lost, many enough that a model is tens of parts. */
const PART = 1 << 19;

const HASH = 'X-Narvl-SHA-256';

/** The parts of one file, by the key that the whole has in the cache. */
export class KeptParts {
  /** Bytes of the part that is not whole. */
  readonly #open = new Uint8Array(PART);
  #filled = 0;
  /** Where in the file that part begins. */
  #start = 0;
  /** What is being kept, one after another; it never rejects. */
  #writing: Promise<void> = Promise.resolve();
  /** Storage that is full stays so. */
  #refused = false;

  /** Without a cache nothing is kept. */
  constructor(
    private readonly cache: Cache | undefined,
    private readonly key: string,
  ) {}

  /** The parts that are there of a file's `bytes`, from the first on and without a gap; never all of it. */
  async read(bytes: number): Promise<readonly Uint8Array[]> {
    const parts: Uint8Array[] = [];
    while (this.#start + PART < bytes) {
      const kept = await this.cache?.match(this.#keyAt(this.#start)).catch(() => undefined);
      const data = await kept?.arrayBuffer().catch(() => undefined);
      if (data?.byteLength !== PART || (await hashOf(data)) !== kept?.headers.get(HASH)) break;
      parts.push(new Uint8Array(data));
      this.#start += PART;
    }
    return parts;
  }

  /** Takes the bytes that follow those that were read and pushed before. */
  push(piece: Uint8Array): void {
    if (!this.cache || this.#refused) return;
    for (let from = 0; from < piece.byteLength; ) {
      const fresh = piece.subarray(from, from + PART - this.#filled);
      this.#open.set(fresh, this.#filled);
      this.#filled += fresh.byteLength;
      from += fresh.byteLength;
      if (this.#filled < PART) return;
      this.#keep(this.cache, this.#open.slice(), this.#start);
      this.#start += PART;
      this.#filled = 0;
    }
  }

  /** Lets go of all parts: the file is there as a whole, or they were none of it. */
  async drop(): Promise<void> {
    await this.#writing;
    for (let at = 0; at < this.#start; at += PART) {
      await this.cache?.delete(this.#keyAt(at)).catch(() => undefined);
    }
  }

  #keep(cache: Cache, part: Uint8Array<ArrayBuffer>, start: number): void {
    this.#writing = this.#writing
      .then(async () => {
        if (this.#refused) return;
        const headers = { [HASH]: await hashOf(part.buffer) };
        await cache.put(this.#keyAt(start), new Response(part, { headers }));
      })
      .catch(() => {
        this.#refused = true;
      });
  }

  #keyAt(start: number): string {
    return `${this.key}&from=${start}`;
  }
}
