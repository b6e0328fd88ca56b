/** The decoder's weights while their file arrives: each is there as soon as its bytes are. */
import type { DecoderWeights, Weight } from './decoder.ts';
import { SafetensorsReader } from './safetensors.ts';

/** Weights by name, now or later. */
export class ArrivingWeights {
  /** All, once the stream has ended; rejects with what it or `SafetensorsReader` fails with. */
  readonly all: Promise<DecoderWeights>;
  readonly #there = new Map<string, Weight>();
  #ended = false;
  /** Resolves when more has come. */
  #more: Promise<void>;
  #tell: () => void = () => {};

  /**
   * @param pieces of a safetensors file; ends once it is known to be what its publisher wrote
   * @param bytes of the file
   */
  constructor(pieces: ReadableStream<Uint8Array>, bytes: number) {
    this.#more = this.#next();
    this.all = this.#read(pieces, bytes);
    this.all.catch(() => {}); // Who waits for a weight is told too.
  }

  /**
   * A weight as soon as its bytes are there, which nothing vouches for before `all` resolves;
   * undefined if the file has none of that name. Rejects as `all` does.
   */
  async get(name: string): Promise<Weight | undefined> {
    while (!this.#there.has(name) && !this.#ended) await Promise.race([this.#more, this.all]);
    return this.#there.get(name);
  }

  #next(): Promise<void> {
    return new Promise((resolve) => {
      this.#tell = resolve;
    });
  }

  async #read(pieces: ReadableStream<Uint8Array>, bytes: number): Promise<DecoderWeights> {
    const stream = pieces.getReader();
    try {
      const reader = new SafetensorsReader(bytes);
      for (;;) {
        const { done, value } = await stream.read();
        if (done) break;
        for (const [name, weight] of reader.push(value)) this.#there.set(name, weight);
        this.#tell();
        this.#more = this.#next();
      }
      reader.end();
      this.#ended = true;
      return this.#there;
    } catch (error) {
      await stream.cancel(error).catch(() => {}); // It may have failed itself.
      throw error;
    }
  }
}
