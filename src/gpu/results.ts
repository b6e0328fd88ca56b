/** What a pass brings back to the CPU: the numbers of several buffers, one behind another. */

/** A buffer that is read back, as many numbers of it for each image. */
export interface Source {
  readonly buffer: GPUBuffer;
  readonly numbers: number;
}

/** The same 32-bit numbers, as whoever reads them means them. */
export interface Numbers {
  readonly words: Uint32Array;
  readonly floats: Float32Array;
}

/** The sources of a batch, in the order in which they are read. */
export class Results {
  readonly #offsets: number[] = [];
  /** Of all sources and images. */
  readonly bytes: number;

  constructor(
    private readonly sources: readonly Source[],
    private readonly batch: number,
  ) {
    let bytes = 0;
    for (const { numbers } of sources) {
      this.#offsets.push(bytes);
      bytes += batch * numbers * 4;
    }
    this.bytes = bytes;
  }

  copy(encoder: GPUCommandEncoder, readback: GPUBuffer): void {
    for (const [i, { buffer, numbers }] of this.sources.entries()) {
      const offset = this.#offsets[i] ?? 0;
      encoder.copyBufferToBuffer(buffer, 0, readback, offset, this.batch * numbers * 4);
    }
  }

  /** One image's numbers of a source. */
  read(bytes: ArrayBuffer, source: Source, image: number): Numbers {
    const offset = (this.#offsets[this.sources.indexOf(source)] ?? 0) + image * source.numbers * 4;
    return numbersOf(bytes, offset, source.numbers);
  }
}

/** `length` numbers from `offset` bytes on, or all. */
export function numbersOf(bytes: ArrayBuffer, offset = 0, length?: number): Numbers {
  return {
    words: new Uint32Array(bytes, offset, length),
    floats: new Float32Array(bytes, offset, length),
  };
}
