/**
 * WebGPU in Node: Dawn, which is what Chromium has too, on whatever Vulkan driver the loader finds.
 *
 * VK_DRIVER_FILES names one. Mesa's llvmpipe is a CPU as SwiftShader is, but has `shader-f16`.
 */
import { create, globals } from 'webgpu';

Object.assign(globalThis, globals);
const gpu = create(['enable-dawn-features=allow_unsafe_apis']);
Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true });
