/**
 * Runs preprocess.wgsl: from images' bytes to the vision network's input, on the GPU.
 *
 * The bytes come in a storage buffer and not in a texture: they were read from a canvas to be
 * checked and cut to a bearable size, a buffer has no limit on sides, and no texture format or
 * sampler stands between the bytes and the numbers.
 */
import { checkPixels, type ImageTransform, type RgbaPixels } from '../model/image.ts';
import code from '../shaders/preprocess.wgsl?raw';
import { Buffers } from './buffers.ts';
import { bind, compile, encodeSteps } from './step.ts';

/** Pixels of a workgroup's side, as in the shader. */
const tileSide = 8;

/** A compiled preprocessor with its buffers, for one model's image transform. */
export class GpuPreprocessor {
  readonly #buffers: Buffers;
  readonly #image: GPUBuffer;
  readonly #colours: GPUBuffer;
  readonly #outputs = new Map<number, GPUBuffer>();
  /** Bytes of the image in work: as large as the largest until now. */
  #rgba: { readonly buffers: Buffers; readonly buffer: GPUBuffer } | undefined;

  private constructor(
    private readonly device: GPUDevice,
    private readonly transform: ImageTransform,
    private readonly pipeline: GPUComputePipeline,
  ) {
    const { mean, std } = transform;
    this.#buffers = new Buffers(device);
    this.#image = this.#buffers.uniform('image', Uint32Array.of(0, 0, 0));
    this.#colours = this.#buffers.uniform('colours', Float32Array.of(...mean, 0, ...std, 0));
  }

  static async create(device: GPUDevice, transform: ImageTransform): Promise<GpuPreprocessor> {
    const constants = { SIZE: transform.size };
    return new GpuPreprocessor(
      device,
      transform,
      await compile(device, 'preprocess', code, constants),
    );
  }

  /**
   * Queues the work and returns at once; what is queued later on the same device sees the result.
   *
   * @returns f32 [batch, 3, size, size]: the same buffer for every batch of this size, and the
   * preprocessor's to destroy
   * @throws NarvlError 'invalid-argument' if an image's bytes do not fit its size, or the image or
   * the batch do not fit the device.
   */
  run(images: readonly RgbaPixels[]): GPUBuffer {
    for (const image of images) checkPixels(image);
    const output = this.#output(images.length);
    for (const [index, image] of images.entries()) this.#runOne(image, index, output);
    return output;
  }

  dispose(): void {
    this.#buffers.destroy();
    this.#rgba?.buffers.destroy();
  }

  #runOne({ data, width, height }: RgbaPixels, index: number, output: GPUBuffer): void {
    const { device } = this;
    const rgba = this.#rgbaBuffer(width * height);
    // Writes and submits take effect in order, so that one image's buffers serve the next.
    device.queue.writeBuffer(this.#image, 0, Uint32Array.of(width, height, index));
    const { buffer, byteOffset, byteLength } = data;
    device.queue.writeBuffer(rgba, 0, buffer, byteOffset, byteLength);
    const tiles = Math.ceil(this.transform.size / tileSide);
    const step = bind(
      device,
      this.pipeline,
      [this.#image, this.#colours, rgba, output],
      [tiles, tiles, 1],
      // Each pixel of the image is weighed once a channel.
      { operations: 6 * width * height, numbers: width * height + 3 * this.transform.size ** 2 },
    );
    const encoder = device.createCommandEncoder({ label: 'preprocess' });
    encodeSteps(encoder, [step]);
    device.queue.submit([encoder.finish()]);
  }

  #output(batch: number): GPUBuffer {
    let output = this.#outputs.get(batch);
    if (!output) {
      const { size } = this.transform;
      output = this.#buffers.storage(`pixels of ${batch}`, batch * 3 * size * size);
      this.#outputs.set(batch, output);
    }
    return output;
  }

  #rgbaBuffer(pixels: number): GPUBuffer {
    if (!this.#rgba || this.#rgba.buffer.size < pixels * 4) {
      // Work that was queued on the old one still finishes.
      this.#rgba?.buffers.destroy();
      this.#rgba = undefined;
      const buffers = new Buffers(this.device);
      this.#rgba = { buffers, buffer: buffers.storage('rgba', pixels) };
    }
    return this.#rgba.buffer;
  }
}
