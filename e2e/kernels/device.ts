/** Gives a test a GPU device and fails it on any GPU error. */
import { type Gpu, requestGpu } from '../../src/gpu/device.ts';

let shared: Promise<Gpu> | undefined;

/**
 * Runs `body` with a device within validation, out-of-memory and internal error scopes, and throws
 * if one of them caught anything. Throws, never skips, where there is no adapter.
 */
export async function withDevice(body: (device: GPUDevice) => Promise<void>): Promise<void> {
  shared ??= requestGpu(navigator.gpu);
  const { device } = await shared;
  const filters = ['validation', 'out-of-memory', 'internal'] as const;
  for (const filter of filters) device.pushErrorScope(filter);
  const failure = await body(device).then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  const errors = await Promise.all(filters.map(() => device.popErrorScope()));
  const gpuError = errors.find((error) => error !== null);
  // The GPU's error comes first: it is why the numbers are wrong.
  if (gpuError) throw new Error(`GPU error: ${gpuError.message}`);
  if (failure) throw failure.error;
}
