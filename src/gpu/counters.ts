/** Counts what a decoder pass does to the GPU, by being the only way that it is done. */
import type { DecoderCost } from '../model/decoder.ts';
import type { Step } from './step.ts';

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

  /** Encodes steps, in order, into a pass of their own. */
  dispatch(encoder: GPUCommandEncoder, steps: readonly Step[]): void {
    const pass = encoder.beginComputePass();
    for (const step of steps) {
      pass.setPipeline(step.pipeline);
      pass.setBindGroup(0, step.bindGroup);
      pass.dispatchWorkgroups(...step.workgroups);
      this.#dispatches++;
    }
    pass.end();
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
