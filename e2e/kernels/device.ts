/** Gives a test a GPU device, and fails it on any GPU error. */
import { Buffers } from '../../src/gpu/buffers.ts';
import { type Gpu, requestGpu } from '../../src/gpu/device.ts';
import { encodeSteps, type Step } from '../../src/gpu/step.ts';

/** What a kernel must not leave behind where it has to write: a NaN, as it reads in f32. */
export const poison = 0x7fc0dead;

let shared: Promise<Gpu> | undefined;

/** A device with buffers that last as long as the test. */
export class Bench {
  constructor(
    readonly device: GPUDevice,
    readonly buffers: Buffers,
  ) {}

  upload(data: Float32Array | Uint32Array): GPUBuffer {
    return this.buffers.upload('input', data);
  }

  /** A buffer for results, full of poison. */
  output(numbers: number): GPUBuffer {
    return this.buffers.upload('output', new Uint32Array(numbers).fill(poison));
  }

  /** Runs the steps in order, then reads the first numbers of a buffer. */
  async run(steps: readonly Step[], output: GPUBuffer, numbers: number): Promise<ArrayBuffer> {
    const encoder = this.device.createCommandEncoder();
    encodeSteps(encoder, steps);
    const readback = this.buffers.readback('readback', numbers * 4);
    encoder.copyBufferToBuffer(output, 0, readback, 0, numbers * 4);
    this.device.queue.submit([encoder.finish()]);
    await readback.mapAsync(GPUMapMode.READ);
    return readback.getMappedRange(0, numbers * 4).slice(0);
  }

  /** `run` for f32 results. */
  async floats(steps: readonly Step[], output: GPUBuffer, numbers: number): Promise<Float32Array> {
    return new Float32Array(await this.run(steps, output, numbers));
  }
}

/**
 * Runs `body` within validation, out-of-memory and internal error scopes, and throws if one of
 * them caught anything. Throws, never skips, where there is no adapter.
 */
export async function withDevice(body: (bench: Bench) => Promise<void>): Promise<void> {
  shared ??= requestGpu(navigator.gpu);
  const { device } = await shared;
  const buffers = new Buffers(device);
  const filters = ['validation', 'out-of-memory', 'internal'] as const;
  for (const filter of filters) device.pushErrorScope(filter);
  const failure = await body(new Bench(device, buffers)).then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  const errors = await Promise.all(filters.map(() => device.popErrorScope()));
  buffers.destroy();
  const gpuError = errors.find((error) => error !== null);
  // The GPU's error comes first: it is why the numbers are wrong.
  if (gpuError) throw new Error(`GPU error: ${gpuError.message}`);
  if (failure) throw failure.error;
}
