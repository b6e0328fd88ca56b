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
import { allocate, Buffers } from './buffers.ts';
import { bind, compile, encodeSteps, type Step } from './step.ts';

/** Pixels of a workgroup's side, as in the shader. */
const tileSide = 8;

/** What images become: three planes, or the patches that `VisionNetwork`'s stem is a product over. */
export type PixelLayout = 'planes' | 'patches';

/** A buffer that can be destroyed alone. */
interface Owned {
  readonly buffers: Buffers;
  readonly buffer: GPUBuffer;
}

/** A compiled preprocessor with its buffers, for one model's image transform. */
export class GpuPreprocessor {
  readonly #buffers: Buffers;
  readonly #image: GPUBuffer;
  readonly #colours: GPUBuffer;
  readonly #outputs = new Map<number, Owned>();
  /** Bytes of the image in work: as large as the largest until now. */
  #rgba: Owned | undefined;

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
   * Makes the buffers that these images need and that are not there yet. Where nobody called it, `begin`
   * makes them, and the device alone learns that there was no memory.
   *
   * @throws NarvlError 'out-of-memory', after which other images may have more luck, or as `begin`.
   */
  async reserve(images: readonly RgbaPixels[]): Promise<void> {
    for (const image of images) checkPixels(image);
    if (images.length === 0) return; // `begin` says so.
    const most = Math.max(...images.map(({ width, height }) => width * height));
    const larger = this.#largerRgba(most);
    if (larger) this.#rgba = await allocate(this.device, larger);
    const output = this.#newOutput(images.length);
    if (output) this.#outputs.set(images.length, await allocate(this.device, output));
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
    const make = this.#newOutput(batch);
    if (make) this.#outputs.set(batch, make(new Buffers(this.device)));
    return (this.#outputs.get(batch) as Owned).buffer;
  }

  dispose(): void {
    this.#buffers.destroy();
    this.#rgba?.buffers.destroy();
    for (const { buffers } of this.#outputs.values()) buffers.destroy();
  }

  #step({ data, width, height }: RgbaPixels, index: number, output: GPUBuffer): Step {
    const { device } = this;
    const larger = this.#largerRgba(width * height);
    if (larger) this.#rgba = larger(new Buffers(device));
    const rgba = (this.#rgba as Owned).buffer;
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

  /** For an image's bytes, if the one that is there is too small: that goes first, to make room. */
  #largerRgba(pixels: number): ((buffers: Buffers) => Owned) | undefined {
    if (this.#rgba && this.#rgba.buffer.size >= pixels * 4) return undefined;
    // Work that was queued on it still finishes.
    this.#rgba?.buffers.destroy();
    this.#rgba = undefined;
    return (buffers) => ({ buffers, buffer: buffers.storage('rgba', pixels) });
  }

  #newOutput(batch: number): ((buffers: Buffers) => Owned) | undefined {
    if (this.#outputs.has(batch)) return undefined;
    const { size } = this.transform;
    const image = this.layout === 'planes' ? 3 * size ** 2 : Math.ceil(size / 2) ** 2 * PATCH;
    const label = `pixels of ${batch}`;
    return (buffers) => ({ buffers, buffer: buffers.storage(label, batch * image) });
  }
}
