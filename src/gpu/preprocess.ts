/**
 * Runs preprocess.wgsl: from images' bytes to the vision network's input, on the GPU.
 *
 * The bytes come in a storage buffer and not in a texture: they were read from a canvas to be
 * checked and cut to a bearable size, a buffer has no limit on sides, and no texture format or
 * sampler stands between the bytes and the numbers.
 */

import { NarvlError } from '../errors.ts';
import { checkPixels, type ImageTransform, type RgbaPixels } from '../model/image.ts';
import { PATCH } from '../model/vision.ts';
import code from '../shaders/preprocess.wgsl?raw';
import { Buffers } from './buffers.ts';
import { bind, compile, encodeSteps, type Step } from './step.ts';

/** Pixels of a workgroup's side, as in the shader. */
const tileSide = 8;

/** What images become: three planes, or the patches that `VisionNetwork`'s stem is a product over. */
export type PixelLayout = 'planes' | 'patches';

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
    private readonly layout: PixelLayout,
    private readonly pipeline: GPUComputePipeline,
  ) {
    const { mean, std } = transform;
    this.#buffers = new Buffers(device);
    this.#image = this.#buffers.uniform('image', Uint32Array.of(0, 0, 0));
    this.#colours = this.#buffers.uniform('colours', Float32Array.of(...mean, 0, ...std, 0));
  }

  static async create(
    device: GPUDevice,
    transform: ImageTransform,
    layout: PixelLayout = 'planes',
  ): Promise<GpuPreprocessor> {
    const constants = { SIZE: transform.size, PATCHES: layout === 'patches' };
    return new GpuPreprocessor(
      device,
      transform,
      layout,
      await compile(device, 'preprocess', code, constants),
    );
  }

  /**
   * Queues the work and returns at once; what is queued later on the same device sees the result.
   *
   * @returns the same buffer as `output` gives for this batch
   * @throws NarvlError as `begin`.
   */
  run(images: readonly RgbaPixels[]): GPUBuffer {
    this.#submit(this.begin(images));
    return this.output(images.length);
  }

  /**
   * Queues the images' bytes and all dispatches but the last image's, which is the caller's to encode
   * before any other images come: one image's buffer serves the next.
   *
   * @throws NarvlError 'invalid-argument' if an image's bytes do not fit its size, or the image or
   * the batch do not fit the device.
   */
  begin(images: readonly RgbaPixels[]): Step {
    for (const image of images) checkPixels(image);
    const output = this.output(images.length);
    let last: Step | undefined;
    for (const [index, image] of images.entries()) {
      if (last) this.#submit(last);
      last = this.#step(image, index, output);
    }
    if (!last) throw new NarvlError('invalid-argument', 'pixels: expected an image, got none');
    return last;
  }

  /**
   * What a batch becomes: f32 [batch, 3, size, size], or [batch, ceil(size / 2)², PATCH] of patches. The
   * same buffer for every batch of this size, and the preprocessor's to destroy.
   */
  output(batch: number): GPUBuffer {
    let output = this.#outputs.get(batch);
    if (!output) {
      const { size } = this.transform;
      const image = this.layout === 'planes' ? 3 * size ** 2 : Math.ceil(size / 2) ** 2 * PATCH;
      output = this.#buffers.storage(`pixels of ${batch}`, batch * image);
      this.#outputs.set(batch, output);
    }
    return output;
  }

  dispose(): void {
    this.#buffers.destroy();
    this.#rgba?.buffers.destroy();
  }

  #step({ data, width, height }: RgbaPixels, index: number, output: GPUBuffer): Step {
    const { device } = this;
    const rgba = this.#rgbaBuffer(width * height);
    // Writes and submits take effect in order, so that one image's buffers serve the next.
    device.queue.writeBuffer(this.#image, 0, Uint32Array.of(width, height, index));
    const { buffer, byteOffset, byteLength } = data;
    device.queue.writeBuffer(rgba, 0, buffer, byteOffset, byteLength);
    const tiles = Math.ceil(this.transform.size / tileSide);
    return bind(
      device,
      this.pipeline,
      [this.#image, this.#colours, rgba, output],
      [tiles, tiles, 1],
      // Each pixel of the image is weighed once a channel.
      { operations: 6 * width * height, numbers: width * height + 3 * this.transform.size ** 2 },
    );
  }

  #submit(step: Step): void {
    const encoder = this.device.createCommandEncoder({ label: 'preprocess' });
    encodeSteps(encoder, [step]);
    this.device.queue.submit([encoder.finish()]);
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
