/**
 * The whole network on a GPU: images' bytes and a prompt to what every slot says, in one command encoder,
 * one submit and one read-back.
 *
 * What is seen of an image waits for what is asked of it, so that both go together; or is kept, for many
 * questions. Callers send one call at a time.
 */
import { NarvlError } from '../errors.ts';
import type { DecodeRequest, QueryRange } from '../model/decoder.ts';
import type { FusionNorm, FusionTags } from '../model/fusion.ts';
import type { RgbaPixels } from '../model/image.ts';
import type { Manifest } from '../model/manifest.ts';
import type { Name } from '../model/name.ts';
import type { Network } from '../model/network.ts';
import { alike, type NetworkShape, shapeOf } from '../model/network-shape.ts';
import { allocate, Buffers } from './buffers.ts';
import { readTold, TOLD_NUMBERS } from './classes.ts';
import { CostCounter } from './counters.ts';
import type { DecoderResult, GpuDecoder } from './decoder.ts';
import {
  compileFusion,
  type FusionKernels,
  type FusionOnGpu,
  type FusionSizes,
  featureStride,
  fusionSteps,
  placesSteps,
  prepareFusion,
  type Seen,
  seenBuffers,
  seenSteps,
} from './fusion.ts';
import { GpuPreprocessor } from './preprocess.ts';
import type { Numbers, Source } from './results.ts';
import { settled } from './settled.ts';
import type { Step } from './step.ts';
import type { Tiling } from './tiling.ts';
import {
  compileVision,
  prepareVision,
  type VisionKernels,
  type VisionOnGpu,
  visionSteps,
} from './vision.ts';

/** What of a manifest says how the network is laid out. */
export type NetworkManifest = Pick<Manifest, 'image' | 'features' | 'prompt' | 'names' | 'decoder'>;

/** Everything before the decoder, laid out for one batch size. */
interface Batch {
  readonly size: number;
  readonly seen: Seen;
  /** From patches to `seen`. */
  readonly looking: readonly Step[];
  /** From `seen` and the prompt to the decoder's memory. */
  readonly fusing: readonly Step[];
  /** From the same to the phrase map, if the model has one. */
  readonly mapping: { readonly steps: readonly Step[]; readonly places: Source } | undefined;
  readonly prompt: GPUBuffer;
  readonly lengths: GPUBuffer;
  readonly buffers: Buffers;
}

/** What a prompt asks of a sight, beside what the decoder is asked. */
export interface NetworkPrompt {
  /** Token ids, filled up to the manifest's prompt length, and how many of them say something. */
  readonly ids: Int32Array;
  readonly used: number;
  /** Whether it asks for the phrase map too, if the model has one. */
  readonly places?: boolean | undefined;
}

/** The dispatches of a pass, by what they are for. */
export interface NetworkSteps {
  /** From the last image's bytes to what is seen. */
  readonly looking: readonly Step[];
  /** From what is seen and a prompt to the memory. */
  readonly fusing: readonly Step[];
  /** From the memory to what every slot says. */
  readonly decoding: readonly Step[];
}

/** What a pass gives. */
export interface NetworkResult extends Pick<DecoderResult, 'decodings' | 'cost'> {
  /** Of each image: the names of what it may show, likeliest first; none if the model has none. */
  readonly names: readonly (readonly Name[])[];
  /** Of each image, if the prompt asks for it and the model has it: its phrase map, log odds of its cells, [cells]. */
  readonly places: readonly Float32Array[] | undefined;
}

/** A batch of images as the network sees them, or will. */
export class GpuSight {
  #kept: { readonly seen: Seen; readonly buffers: Buffers } | undefined;

  /** @param looking dispatches that are still to be encoded, none once the sight is kept */
  constructor(
    private readonly device: GPUDevice,
    private readonly network: FusionOnGpu,
    readonly plan: Batch,
    readonly looking: readonly Step[],
  ) {}

  get batch(): number {
    return this.plan.size;
  }

  /** Encodes what brings it to where fusion reads it. */
  encode(encoder: GPUCommandEncoder, counter: CostCounter): void {
    if (this.#kept) copySeen(encoder, this.#kept.seen, this.plan.seen);
    else counter.dispatch(encoder, this.looking);
  }

  /**
   * Looks now and keeps what is seen, until `dispose`.
   * @throws NarvlError 'out-of-memory'.
   */
  async keep(): Promise<void> {
    const { device, plan } = this;
    const kept = await allocate(device, (buffers) => ({
      seen: seenBuffers(this.network, buffers, plan.size),
      buffers,
    }));
    const encoder = device.createCommandEncoder({ label: 'look' });
    const counter = new CostCounter();
    this.encode(encoder, counter);
    copySeen(encoder, plan.seen, kept.seen);
    counter.submit(device.queue, encoder);
    this.#kept = kept;
    await device.queue.onSubmittedWorkDone();
  }

  /** Frees what is kept. */
  dispose(): void {
    this.#kept?.buffers.destroy();
  }
}

/** Kernels and weights of vision and fusion. */
export interface PreparedNetwork {
  readonly manifest: NetworkManifest;
  readonly preprocessor: GpuPreprocessor;
  readonly vision: VisionOnGpu;
  readonly fusion: FusionOnGpu;
  readonly tags: FusionTags | undefined;
  /** What the decoder is to be made with: fusion leaves this to it. */
  readonly memoryNorm: FusionNorm;
  /** Of the weights. */
  readonly buffers: Buffers;
}

/** Kernels that are being compiled, for any weights of their sizes. */
export interface NetworkKernels {
  readonly shape: NetworkShape;
  readonly vision: Promise<VisionKernels>;
  readonly fusion: Promise<FusionKernels>;
}

/** Begins to compile the kernels, for which no weight has to be there. */
export function compileNetwork(
  device: GPUDevice,
  manifest: NetworkManifest,
  shape: NetworkShape,
  tiling: Tiling,
): NetworkKernels {
  const sizes = fusionSizes(manifest, shape);
  const stride = featureStride(sizes);
  const vision = compileVision(device, shape.vision, manifest.image.size, stride, tiling);
  const fusion = compileFusion(device, sizes, tiling);
  // Who waits for the weights may never come to hear of these.
  for (const kernels of [vision, fusion]) kernels.catch(() => {});
  return { shape, vision, fusion };
}

/**
 * Uploads the weights.
 *
 * @param ahead kernels by the same tiling; others are compiled if the network turns out to be of other sizes
 * @throws NarvlError 'out-of-memory' if these do not fit the GPU's memory.
 */
export async function prepareNetwork(
  device: GPUDevice,
  manifest: NetworkManifest,
  network: Network,
  tiling: Tiling,
  ahead?: NetworkKernels,
): Promise<PreparedNetwork> {
  const { image } = manifest;
  const shape = shapeOf(network);
  const kernels =
    ahead && alike(ahead.shape, shape) ? ahead : compileNetwork(device, manifest, shape, tiling);
  const sizes = fusionSizes(manifest, shape);
  const buffers = new Buffers(device);
  try {
    const [preprocessor, vision, fusion] = await settled([
      GpuPreprocessor.create(device, image, 'patches'),
      prepareVision(buffers, network.vision, image.size, tiling, kernels.vision),
      prepareFusion(buffers, network.fusion, sizes, tiling, kernels.fusion),
    ]);
    const { tags, norm: memoryNorm } = network.fusion;
    return { manifest, preprocessor, vision, fusion, tags, memoryNorm, buffers };
  } catch (error) {
    buffers.destroy();
    throw error;
  }
}

function fusionSizes(
  { decoder, features, prompt, names }: NetworkManifest,
  { fusion: { ffn, classes, head, units, places } }: NetworkShape,
): FusionSizes {
  return {
    ...decoder,
    cells: features.rows,
    features: features.width,
    words: prompt.length,
    pad: prompt.pad,
    ffn,
    units,
    places,
    tags: names && { count: names.count, pieces: names.length, classes, head },
  };
}

/** Vision, fusion and the decoder behind them, on a GPU device that stays the caller's. */
export class GpuNetwork {
  readonly #batches = new Map<number, Batch>();

  /** @param decoder on the same device, made with `memoryNorm`, and the caller's to dispose of */
  constructor(
    private readonly prepared: PreparedNetwork,
    private readonly decoder: GpuDecoder,
  ) {
    if (!decoder.normsMemory) {
      throw new NarvlError('worker-failed', "Expected a decoder that folds in the memory's norm");
    }
  }

  /**
   * Queues the images' bytes. What is made of them waits for `write`, or for `keep` of what this
   * returns, either of which must come before other images are seen.
   *
   * @throws NarvlError 'invalid-argument' if the images do not fit the device, 'out-of-memory'.
   */
  async see(images: readonly RgbaPixels[]): Promise<GpuSight> {
    const { preprocessor, fusion, buffers } = this.prepared;
    await preprocessor.reserve(images);
    const batch = this.#batches.get(images.length) ?? (await this.#lay(images.length));
    const looking = [preprocessor.begin(images), ...batch.looking];
    return new GpuSight(buffers.device, fusion, batch, looking);
  }

  /**
   * From what is seen and a prompt to one decoding an image.
   * @throws NarvlError as `GpuDecoder.decode`.
   */
  async write(
    sight: GpuSight,
    { ids, used, places = false }: NetworkPrompt,
    wanted: Omit<DecodeRequest, 'memoryLengths'>,
  ): Promise<NetworkResult> {
    const { manifest, tags, buffers } = this.prepared;
    const { queue } = buffers.device;
    const { batch, plan } = sight;
    const length = manifest.decoder.memory - ids.length + used;
    const memoryLengths = new Array<number>(batch).fill(length);
    const mapping = places ? plan.mapping : undefined;
    const { decodings, cost, ahead } = await this.decoder.decode(
      { memoryLengths, ...wanted },
      {
        sources: [
          { buffer: plan.seen.told, numbers: TOLD_NUMBERS * (tags?.count ?? 1) },
          ...(mapping ? [mapping.places] : []),
        ],
        encode: (encoder, counter) => {
          queue.writeBuffer(plan.prompt, 0, Uint32Array.from(ids));
          queue.writeBuffer(plan.lengths, 0, Uint32Array.from(memoryLengths));
          sight.encode(encoder, counter);
          counter.dispatch(encoder, [...plan.fusing, ...(mapping?.steps ?? [])]);
        },
      },
    );
    const [told = [], maps] = ahead;
    return {
      decodings,
      cost,
      names: told.map((one) => this.#names(one)),
      places: maps?.map(({ floats }) => floats),
    };
  }

  /**
   * The dispatches of a pass over such a batch, for who times or models them. Its other images' bytes
   * are queued, one dispatch each.
   *
   * @throws NarvlError as `see`.
   */
  async steps(images: readonly RgbaPixels[], queries: QueryRange): Promise<NetworkSteps> {
    const sight = await this.see(images);
    const decoding = await this.decoder.steps(images.length, queries);
    return { looking: sight.looking, fusing: sight.plan.fusing, decoding };
  }

  /** Destroys every buffer; the decoder stays. */
  dispose(): void {
    this.prepared.preprocessor.dispose();
    for (const { buffers } of this.#batches.values()) buffers.destroy();
    this.prepared.buffers.destroy();
  }

  async #lay(size: number): Promise<Batch> {
    const { manifest, preprocessor, vision, fusion, buffers: weights } = this.prepared;
    const patches = preprocessor.output(size);
    const memory = this.decoder.memoryBuffer(size);
    const evidence = this.decoder.evidenceBuffer(size);
    const batch = await allocate(weights.device, (buffers): Batch => {
      const { rows } = manifest.features;
      const features = buffers.storage('features', size * rows * fusion.stride);
      const seen = seenBuffers(fusion, buffers, size, evidence);
      const prompt = buffers.storage('prompt', manifest.prompt.length);
      const lengths = buffers.storage('fusion lengths', size);
      const places = fusion.phraseMap && {
        buffer: buffers.storage('places', size * rows),
        numbers: rows,
      };
      return {
        size,
        seen,
        looking: [
          ...visionSteps(vision, buffers, patches, features, size),
          ...seenSteps(fusion, buffers, features, seen, size),
        ],
        fusing: fusionSteps(fusion, buffers, seen, { prompt, lengths, memory }, size),
        mapping: places && {
          places,
          steps: placesSteps(fusion, buffers, seen, { prompt, places: places.buffer }, size),
        },
        prompt,
        lengths,
        buffers,
      };
    });
    this.#batches.set(size, batch);
    return batch;
  }

  /** @throws NarvlError 'invalid-model' if the classifier said nothing. */
  #names(told: Numbers): Name[] {
    const { tags, manifest } = this.prepared;
    if (!tags) return [];
    return readTold(told).map(({ id, likely }) => {
      if (id >= tags.classes || !Number.isFinite(likely)) {
        throw new NarvlError('invalid-model', 'fusion: the classifier has no likeliest class');
      }
      const pieces = tags.names.subarray(id * tags.pieces, (id + 1) * tags.pieces);
      return { tokens: [...pieces].filter((token) => token !== manifest.prompt.pad), likely };
    });
  }
}

function copySeen(encoder: GPUCommandEncoder, from: Seen, to: Seen): void {
  encoder.copyBufferToBuffer(from.cells, 0, to.cells, 0, to.cells.size);
  encoder.copyBufferToBuffer(from.told, 0, to.told, 0, to.told.size);
  if (from.evidence && to.evidence) {
    encoder.copyBufferToBuffer(from.evidence, 0, to.evidence, 0, to.evidence.size);
  }
}
