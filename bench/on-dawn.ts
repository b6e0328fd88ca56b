/** A device of Dawn's in Node, whose clock is as fine as the driver's. */
import { create, globals } from 'webgpu';
import { type Gpu, requestGpu } from '../src/gpu/device.ts';

/** Kept, since Dawn's devices end with it. */
let gpu: GPU | undefined;

/**
 * Dawn looks for Vulkan's drivers where Vulkan does; VK_DRIVER_FILES names others.
 * @throws NarvlError 'webgpu-unavailable' if there is no adapter.
 */
export function openDawn(): Promise<Gpu> {
  Object.assign(globalThis, globals);
  gpu = create([
    'enable-dawn-features=allow_unsafe_apis',
    // Else kernels' times come in steps of 65 µs.
    'disable-dawn-features=timestamp_quantization',
  ]);
  return requestGpu(gpu);
}
