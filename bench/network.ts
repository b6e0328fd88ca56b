/** The whole network, from an image's bytes to what every slot says, as it is timed and modelled. */
import { Buffers } from '../src/gpu/buffers.ts';
import { CostCounter } from '../src/gpu/counters.ts';
import { GpuDecoder } from '../src/gpu/decoder.ts';
import { LayerNormKernel } from '../src/gpu/layernorm.ts';
import {
  GpuNetwork,
  type NetworkPrompt,
  type NetworkResult,
  type NetworkSteps,
  prepareNetwork,
} from '../src/gpu/network.ts';
import type { Step } from '../src/gpu/step.ts';
import { type Tiling, tilingFor } from '../src/gpu/tiling.ts';
import type { FusionNorm } from '../src/model/fusion.ts';
import type { RgbaPixels } from '../src/model/image.ts';
import { seededRandom } from '../src/testing/random.ts';
import type { Shipped } from './shipped.ts';

/** A picture of so many pixels: what is in it takes no time. */
export function anyImage(width = 640, height = 480): RgbaPixels {
  const random = seededRandom(3);
  const data = Uint8Array.from({ length: 4 * width * height }, (_, i) =>
    i % 4 === 3 ? 255 : 256 * random(),
  );
  return { data, width, height };
}

/** Vision, fusion and decoder on one device, that write captions. */
export class WholeNetwork {
  private constructor(
    private readonly device: GPUDevice,
    private readonly net: GpuNetwork,
    private readonly decoder: GpuDecoder,
    private readonly norm: MemoryNorm,
    readonly prompt: NetworkPrompt,
    private readonly queries: Shipped['captions'],
  ) {}

  /** @throws Error if our kernels do not know its kind, and as `GpuDecoder.create`. */
  static async create(
    device: GPUDevice,
    { before, shape, weights, captions }: Shipped,
    tiling: Tiling = tilingFor(device),
  ): Promise<WholeNetwork> {
    const network = await before.network();
    if (!network) throw new Error('vision or fusion is of a kind that our kernels do not know');
    const { norm: end } = network.fusion;
    const decoder = await GpuDecoder.create(device, shape, weights, tiling, end);
    try {
      const prepared = await prepareNetwork(device, before.manifest, network, tiling);
      const net = new GpuNetwork(prepared, decoder);
      const norm = await MemoryNorm.create(decoder.memoryBuffer(1), shape, device, end);
      return new WholeNetwork(device, net, decoder, norm, before.prompt(), captions);
    } catch (error) {
      decoder.dispose();
      throw error;
    }
  }

  /** @param posteriors for a search behind it, in place of the collapsed text */
  async caption(images: readonly RgbaPixels[], posteriors = false): Promise<NetworkResult> {
    const { queries } = this;
    return this.net.write(await this.net.see(images), this.prompt, { queries, posteriors });
  }

  /** Memory rows that a prompt of this length leaves. */
  get memoryLength(): number {
    return this.decoder.shape.memory - this.prompt.ids.length + this.prompt.used;
  }

  /** Queues everything before a decoder, with the memory normed in `into`; a caption must have been. */
  async fuse(image: RgbaPixels, into: GPUBuffer): Promise<void> {
    const { looking, fusing } = await this.steps([image]);
    const encoder = this.device.createCommandEncoder({ label: 'before the decoder' });
    const counter = new CostCounter();
    counter.dispatch(encoder, [...looking, ...fusing, this.norm.into(into)]);
    counter.submit(this.device.queue, encoder);
  }

  /** The dispatches of a pass over such a batch. */
  steps(images: readonly RgbaPixels[]): Promise<NetworkSteps> {
    return this.net.steps(images, this.queries);
  }

  dispose(): void {
    this.norm.dispose();
    this.net.dispose();
    this.decoder.dispose();
  }
}

/** The norm that our own decoder folds into its weights and other decoders want done. */
class MemoryNorm {
  readonly #steps = new Map<GPUBuffer, Step>();

  private constructor(
    private readonly kernel: LayerNormKernel,
    private readonly buffers: Buffers,
    private readonly from: Readonly<Record<'x' | 'gain' | 'bias', GPUBuffer>>,
    private readonly rows: number,
  ) {}

  static async create(
    x: GPUBuffer,
    { width, epsilon, memory }: Shipped['shape'],
    device: GPUDevice,
    { gain, bias }: FusionNorm,
  ): Promise<MemoryNorm> {
    const kernel = await LayerNormKernel.compile(device, width, epsilon);
    const buffers = new Buffers(device);
    const weights = { gain: buffers.upload('gain', gain), bias: buffers.upload('bias', bias) };
    return new MemoryNorm(kernel, buffers, { x, ...weights }, memory);
  }

  into(y: GPUBuffer): Step {
    const step =
      this.#steps.get(y) ?? this.kernel.step(this.buffers, { ...this.from, y }, this.rows);
    this.#steps.set(y, step);
    return step;
  }

  dispose(): void {
    this.buffers.destroy();
  }
}
