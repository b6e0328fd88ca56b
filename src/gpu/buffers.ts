/** Buffers that are made and destroyed together. */
import { NarvlError } from '../errors.ts';

/** What there is of a device's buffers at a moment. */
export interface BufferUse {
  readonly buffers: number;
  readonly bytes: number;
}

/** Of every device, the buffers that were made here and are not destroyed. */
const alive = new WeakMap<GPUDevice, Set<GPUBuffer>>();

/** How many buffers of a device are alive, and their bytes. */
export function bufferUse(device: GPUDevice): BufferUse {
  const buffers = [...(alive.get(device) ?? [])];
  return { buffers: buffers.length, bytes: buffers.reduce((sum, { size }) => sum + size, 0) };
}

/** Makes buffers of 32-bit numbers, checks them against the device's limits, and owns them. */
export class Buffers {
  readonly #made: GPUBuffer[] = [];

  constructor(readonly device: GPUDevice) {}

  /**
   * A storage buffer that can be copied from and to; its numbers start at 0.
   * @throws NarvlError 'invalid-argument' if the device binds no buffer of that size.
   */
  storage(label: string, numbers: number): GPUBuffer {
    return this.#make(label, numbers, storageUsage(), false);
  }

  /** A storage buffer that holds `data`. */
  upload(label: string, data: Float32Array | Uint32Array): GPUBuffer {
    return this.#fill(label, data, storageUsage());
  }

  /** A uniform buffer that holds `data`. */
  uniform(label: string, data: Float32Array | Uint32Array): GPUBuffer {
    return this.#fill(label, data, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST);
  }

  /** A uniform buffer of u32 numbers, for a kernel's sizes. */
  sizes(label: string, ...numbers: number[]): GPUBuffer {
    return this.uniform(label, Uint32Array.from(numbers));
  }

  /** A buffer that results are copied to and mapped from. */
  readback(label: string, bytes: number): GPUBuffer {
    return this.#make(label, bytes / 4, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST, false);
  }

  /** Destroys every buffer that was made here. */
  destroy(): void {
    for (const buffer of this.#made.splice(0)) {
      buffer.destroy();
      alive.get(this.device)?.delete(buffer);
    }
  }

  #fill(label: string, data: Float32Array | Uint32Array, usage: number): GPUBuffer {
    const buffer = this.#make(label, data.length, usage, true);
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    new Uint8Array(buffer.getMappedRange()).set(bytes);
    buffer.unmap();
    return buffer;
  }

  #make(label: string, numbers: number, usage: number, mappedAtCreation: boolean): GPUBuffer {
    // Kernels read rows as vec4f, so a buffer holds whole ones.
    const size = Math.ceil(numbers / 4) * 16;
    const { maxStorageBufferBindingSize, maxBufferSize } = this.device.limits;
    const most = Math.min(maxStorageBufferBindingSize, maxBufferSize);
    if (size > most) {
      throw new NarvlError(
        'invalid-argument',
        `buffer ${label} needs ${size} bytes, and this GPU takes ${most}: use a smaller batch, or fewer bits for weights`,
      );
    }
    const buffer = this.device.createBuffer({ label, size, usage, mappedAtCreation });
    this.#made.push(buffer);
    const others = alive.get(this.device);
    if (others) others.add(buffer);
    else alive.set(this.device, new Set([buffer]));
    return buffer;
  }
}

/**
 * Makes what `make` makes with buffers of its own, and destroys them if it fails.
 * @throws NarvlError 'out-of-memory' if the GPU has not enough memory, and what `make` throws.
 */
export async function allocate<T>(device: GPUDevice, make: (buffers: Buffers) => T): Promise<T> {
  const buffers = new Buffers(device);
  try {
    return await allocateIn(buffers, make);
  } catch (error) {
    buffers.destroy();
    throw error;
  }
}

/** As `allocate`, with buffers that are there, and stay the caller's to destroy. */
export async function allocateIn<T>(buffers: Buffers, make: (buffers: Buffers) => T): Promise<T> {
  const { device } = buffers;
  device.pushErrorScope('out-of-memory');
  let failure: unknown;
  let made: { value: T } | undefined;
  try {
    made = { value: make(buffers) };
  } catch (error) {
    failure = error;
  }
  // Popped before anything is awaited, so that no other work falls into this scope.
  const outOfMemory = await device.popErrorScope();
  if (made && !outOfMemory) return made.value;
  // A buffer mapped at creation that finds no memory throws RangeError instead.
  if (!outOfMemory && !(failure instanceof RangeError)) throw failure;
  const reason = outOfMemory?.message ?? String(failure);
  throw new NarvlError('out-of-memory', `the GPU has not enough memory: ${reason}`);
}

/** Not a constant: browsers without WebGPU load this module too, and have not even the names. */
function storageUsage(): number {
  return GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
}
