/** Counts what a decoder pass does to the GPU, where it does it. */
import type { DecoderCost } from '../model/decoder.ts';
import { encodeSteps, type Step } from './step.ts';

/** Dispatches, submits and bytes read of one pass. */
export class CostCounter {
  #dispatches = 0;
  #submits = 0;
  #bytesRead = 0;

  get cost(): DecoderCost {
    return {
      dispatches: this.#dispatches,
      submits: this.#submits,
      bytesRead: this.#bytesRead,
    };
  }

  dispatch(encoder: GPUCommandEncoder, steps: readonly Step[]): void {
    encodeSteps(encoder, steps);
    this.#dispatches += steps.length;
  }

  submit(queue: GPUQueue, encoder: GPUCommandEncoder): void {
    queue.submit([encoder.finish()]);
    this.#submits++;
  }

  /** Maps the first `size` bytes and copies them out. */
  async read(buffer: GPUBuffer, size: number): Promise<ArrayBuffer> {
    await buffer.mapAsync(GPUMapMode.READ, 0, size);
    const bytes = buffer.getMappedRange(0, size).slice(0);
    buffer.unmap();
    this.#bytesRead += size;
    return bytes;
  }
}
