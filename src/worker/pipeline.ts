/**
 * The whole flow of a caption, in one place:
 *
 *     image → pixels → [preprocess] → [vision.onnx] → features
 *     features + prompt → [fusion.onnx] → memory → [decoder] → slots → text
 *
 * On WebGPU every bracket runs on one GPUDevice and nothing but the collapsed text comes back.
 */
import { readDecoding } from '../decode/caption.ts';
import { Encoder, type EncoderPixels } from '../encoder/encoder.ts';
import { NarvlError } from '../errors.ts';
import { GpuDecoder } from '../gpu/decoder.ts';
import { type Gpu, requestGpu } from '../gpu/device.ts';
import { GpuPreprocessor } from '../gpu/preprocess.ts';
import type { DecodeRequest, DecoderCost, Decoding } from '../model/decoder.ts';
import { loadModelFiles } from '../model/files.ts';
import type { RgbaPixels } from '../model/image.ts';
import { findTask, type Manifest, type Task } from '../model/manifest.ts';
import { parseSafetensors } from '../model/safetensors.ts';
import { Tokenizer } from '../model/tokenizer.ts';
import type {
  Caption,
  CaptionRequest,
  Device,
  DeviceChoice,
  ModelInfo,
  OpenRequest,
  Outcome,
  Progress,
  WireImage,
} from '../protocol.ts';
import { ReferenceDecoder } from '../reference/decoder.ts';
import { preprocess } from '../reference/preprocess.ts';
import { toErrorData } from './outcome.ts';
import { readPixels } from './pixels.ts';

/** A pixel source with what it took to read it. */
interface Read {
  readonly pixels: RgbaPixels;
  readonly milliseconds: number;
}

/** A model on its devices. Its callers see to it that no two calls overlap. */
export class Pipeline {
  readonly #manifest: Manifest;
  readonly #tokenizer: Tokenizer;
  readonly #device: Device;
  readonly #gpu: Gpu | undefined;
  readonly #preprocessor: GpuPreprocessor | undefined;
  readonly #encoder: Encoder;
  readonly #decoder: GpuDecoder | ReferenceDecoder;
  #lost: NarvlError | undefined;

  private constructor(parts: {
    manifest: Manifest;
    tokenizer: Tokenizer;
    device: Device;
    gpu: Gpu | undefined;
    preprocessor: GpuPreprocessor | undefined;
    encoder: Encoder;
    decoder: GpuDecoder | ReferenceDecoder;
  }) {
    this.#manifest = parts.manifest;
    this.#tokenizer = parts.tokenizer;
    this.#device = parts.device;
    this.#gpu = parts.gpu;
    this.#preprocessor = parts.preprocessor;
    this.#encoder = parts.encoder;
    this.#decoder = parts.decoder;
    // On a lost device the runtime goes on answering; only this tells.
    void parts.gpu?.lost.then((error) => {
      this.#lost = error;
    });
  }

  /** Downloads, checks and prepares a model. @throws NarvlError as `Narvl.load` does. */
  static async open(
    { url, device: choice }: OpenRequest,
    onProgress: (progress: Progress) => void,
  ): Promise<Pipeline> {
    let bytes = { loaded: 0, total: 0 };
    const [{ manifest, files }, { gpu, device }] = await Promise.all([
      loadModelFiles(url, (loaded, total) => {
        bytes = { loaded, total };
        onProgress({ stage: 'download', ...bytes });
      }),
      chooseDevice(choice),
    ]);
    onProgress({ stage: 'prepare', ...bytes });
    const tokenizer = new Tokenizer(files['tokenizer.json'], manifest.decoder.vocabulary);
    const weights = parseSafetensors(files['decoder.safetensors']);
    const onGpu = gpu && device.encoder === 'webgpu' ? gpu.device : undefined;
    const decoder =
      gpu && device.decoder === 'webgpu'
        ? await GpuDecoder.create(gpu.device, manifest.decoder, weights)
        : new ReferenceDecoder(manifest.decoder, weights);
    const pipeline = new Pipeline({
      manifest,
      tokenizer,
      device,
      gpu,
      preprocessor: onGpu && (await GpuPreprocessor.create(onGpu, manifest.image)),
      encoder: await Encoder.create(
        manifest,
        files['vision.onnx'],
        files['fusion.onnx'],
        onGpu ?? 'wasm',
      ),
      decoder,
    });
    onProgress({ stage: 'ready', ...bytes });
    return pipeline;
  }

  get info(): ModelInfo {
    const { name, tasks } = this.#manifest;
    return { name, device: this.#device, tasks: Object.keys(tasks) };
  }

  /**
   * One outcome an image, in order.
   * @throws NarvlError for what concerns them all: `invalid-argument`, `device-lost`, `aborted`.
   */
  async caption(request: CaptionRequest, signal: AbortSignal): Promise<Outcome<Caption>[]> {
    const { images, posteriors = false } = request;
    const task = findTask(this.#manifest, request.task);
    const reads = await Promise.all(images.map(readOutcome));
    signal.throwIfAborted();
    const good = reads.flatMap((read) => (read.ok ? [read.value] : []));
    if (good.length === 0) return reads.filter((read) => !read.ok);
    const captions = await this.#describe(good, task, posteriors, signal);
    return reads.map((read) => {
      if (!read.ok) return read;
      const value = captions.shift();
      if (!value) throw new NarvlError('worker-failed', 'The decoder left out an image');
      return { ok: true, value };
    });
  }

  /** From pixels to captions. */
  async #describe(
    reads: readonly Read[],
    task: Task,
    posteriors: boolean,
    signal: AbortSignal,
  ): Promise<Caption[]> {
    const { features: shape, prompt: promptShape, decoder } = this.#manifest;
    const batch = reads.length;
    const clock = new Stopwatch();

    const pixels = await this.#preprocess(reads.map((read) => read.pixels));
    const preprocess = clock.lap();
    this.#checkAlive(signal);

    const features = await this.#encoder.look(pixels, batch);
    const vision = clock.lap();
    try {
      this.#checkAlive(signal);
      const prompt = this.#tokenizer.encodePrompt(task.prompt, promptShape.length, promptShape.pad);
      const memory = await this.#fuse(features, prompt.ids);
      const fusion = clock.lap();
      this.#checkAlive(signal);

      const memoryLengths = new Array<number>(batch).fill(shape.rows + prompt.used);
      const { decodings, cost } = await this.#decode(memory, {
        memoryLengths,
        queries: task.queries,
        posteriors,
      });
      const decode = clock.lap();
      return decodings.map((decoding, i) => {
        const image = reads[i]?.milliseconds ?? 0;
        const total = image + preprocess + vision + fusion + decode;
        return {
          ...readDecoding(decoding, this.#tokenizer, decoder.blank, decoder.eos),
          device: this.#device,
          timings: { image, preprocess, vision, fusion, decoder: decode, total },
          cost,
        };
      });
    } finally {
      features.dispose();
    }
  }

  async #preprocess(images: readonly RgbaPixels[]): Promise<EncoderPixels> {
    if (this.#preprocessor) return this.#preprocessor.run(images);
    const { image } = this.#manifest;
    const one = 3 * image.size * image.size;
    const pixels = new Float32Array(images.length * one);
    for (const [i, { data, width, height }] of images.entries()) {
      pixels.set(preprocess(data, width, height, image), i * one);
    }
    return pixels;
  }

  /** Memory where the decoder reads it: undefined once it lies in the GPU decoder's buffer. */
  async #fuse(
    features: Awaited<ReturnType<Encoder['look']>>,
    prompt: Int32Array,
  ): Promise<Float32Array | undefined> {
    if (!(this.#decoder instanceof GpuDecoder)) return this.#encoder.fuse(features, prompt);
    const buffer = this.#decoder.memoryBuffer(features.batch);
    if (this.#device.encoder === 'webgpu') {
      return this.#encoder.fuse(features, prompt, buffer);
    }
    const memory = await this.#encoder.fuse(features, prompt);
    this.#gpu?.device.queue.writeBuffer(buffer, 0, memory as Float32Array<ArrayBuffer>);
    return undefined;
  }

  async #decode(
    memory: Float32Array | undefined,
    request: DecodeRequest,
  ): Promise<{ decodings: Decoding[]; cost: DecoderCost }> {
    if (this.#decoder instanceof GpuDecoder) return this.#decoder.decode(request);
    if (!memory) throw new NarvlError('worker-failed', 'The memory did not reach the CPU');
    const decodings = this.#decoder.decode(memory, request);
    return { decodings, cost: { dispatches: 0, submits: 0, bytesRead: 0 } };
  }

  #checkAlive(signal: AbortSignal): void {
    signal.throwIfAborted();
    if (this.#lost) throw this.#lost;
  }
}

/**
 * WebGPU for both halves on a real adapter. On a software adapter the encoder's convolutions are
 * far slower than in WebAssembly, so the encoder goes there and the decoder stays in WGSL.
 */
async function chooseDevice(
  choice: DeviceChoice,
): Promise<{ gpu: Gpu | undefined; device: Device }> {
  const wanted = choice.encoder === 'webgpu' || choice.decoder === 'webgpu';
  const possible = choice.encoder !== 'wasm' || choice.decoder !== 'reference';
  const gpu = possible
    ? await requestGpu(navigator.gpu).catch((error: unknown) => {
        if (wanted) throw error;
        return undefined;
      })
    : undefined;
  const encoder = choice.encoder ?? (gpu && !gpu.adapter.software ? 'webgpu' : 'wasm');
  const decoder = choice.decoder ?? (gpu ? 'webgpu' : 'reference');
  const { vendor = '', architecture = '', description = '' } = gpu?.adapter ?? {};
  const adapter = description || [vendor, architecture].filter(Boolean).join(' ');
  return { gpu, device: { encoder, decoder, adapter } };
}

async function readOutcome(image: WireImage): Promise<Outcome<Read>> {
  const clock = new Stopwatch();
  try {
    const pixels = await readPixels(image);
    return { ok: true, value: { pixels, milliseconds: clock.lap() } };
  } catch (error) {
    return { ok: false, error: toErrorData(error) };
  }
}

/** Milliseconds since the last lap. */
class Stopwatch {
  #last = performance.now();

  lap(): number {
    const now = performance.now();
    const elapsed = now - this.#last;
    this.#last = now;
    return elapsed;
  }
}
