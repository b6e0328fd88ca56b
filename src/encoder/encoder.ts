/**
 * The encoder: pixels to features (vision.onnx), features and a prompt to memory, the names of what is
 * seen, the evidence for words and a map of where the prompt's phrase is (fusion.onnx).
 *
 * Two graphs, so that an image is looked at once and asked many things. The runtime breaks when
 * two calls overlap, so callers send one at a time; the worker's queue sees to it.
 */
import type { InferenceSession, Tensor } from 'onnxruntime-web';
import { NarvlError } from '../errors.ts';
import { during } from '../model/load-stages.ts';
import type { Manifest } from '../model/manifest.ts';
import type { Name } from '../model/name.ts';
import { type OnnxRuntime, onnxRuntime, whyNoRuntime } from './runtime.ts';

/** Normalised pixels of a batch, f32 [batch, 3, size, size], where the encoder runs. */
export type EncoderPixels = Float32Array | GPUBuffer;

/** What a batch of images looks like to the network; kept where the encoder runs. */
export interface Features {
  readonly batch: number;
  readonly tensor: Tensor;
  /** Frees GPU memory. */
  dispose(): void;
}

/** What fusion says beside the memory. */
export interface Fused {
  /** Of each image: the names of what it may show, likeliest first; none if the model has none. */
  readonly names: readonly (readonly Name[])[];
  /** [batch, vocabulary], for decoders of shapes with evidence. */
  readonly evidence: Float32Array | undefined;
  /** [batch, cells]: log odds that each lies in the box of the prompt's phrase, if it asks for them. */
  readonly places: Float32Array | undefined;
}

/** What is read beside the images. */
export interface EncoderPrompt {
  /** Token ids, filled up to the manifest's prompt length. */
  readonly ids: Int32Array;
  /** Whether it asks for the phrase map, which the model then has to have. */
  readonly places?: boolean | undefined;
}

/** Both graphs, on a GPU device or in WebAssembly. */
export class Encoder {
  readonly #ort: OnnxRuntime;
  readonly #manifest: Manifest;
  readonly #vision: InferenceSession;
  readonly #fusion: InferenceSession;

  private constructor(
    ort: OnnxRuntime,
    manifest: Manifest,
    vision: InferenceSession,
    fusion: InferenceSession,
  ) {
    this.#ort = ort;
    this.#manifest = manifest;
    this.#vision = vision;
    this.#fusion = fusion;
  }

  /**
   * @param device the decoder's own device, so that memory stays on it, or 'wasm'
   * @throws NarvlError `invalid-model` if a graph is not what the runtime can run, `download-failed` if
   * the runtime does not come.
   */
  static async create(
    manifest: Manifest,
    vision: ArrayBuffer | Promise<ArrayBuffer>,
    fusion: ArrayBuffer | Promise<ArrayBuffer>,
    device: GPUDevice | 'wasm',
  ): Promise<Encoder> {
    const ort = await during('compile', onnxRuntime);
    const onGpu = device !== 'wasm';
    // The device is the provider's own option: set on `ort.env` it would be ignored.
    const provider = onGpu ? { name: 'webgpu' as const, device } : 'wasm';
    const open = async (name: string, graph: ArrayBuffer, toGpu: boolean) => {
      try {
        return await during('compile', () =>
          ort.InferenceSession.create(new Uint8Array(graph), {
            executionProviders: [provider],
            ...(toGpu ? { preferredOutputLocation: 'gpu-buffer' as const } : {}),
          }),
        );
      } catch (cause) {
        const missing = await whyNoRuntime();
        if (missing) throw missing;
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new NarvlError('invalid-model', `${name} cannot be run: ${reason}`, { cause });
      }
    };
    // One after the other: two sessions created at once throw.
    const visionSession = await open('vision.onnx', await vision, onGpu);
    const fusionSession = await open('fusion.onnx', await fusion, false);
    return new Encoder(ort, manifest, visionSession, fusionSession);
  }

  /** Look at a batch of images. */
  async look(pixels: EncoderPixels, batch: number): Promise<Features> {
    const { size } = this.#manifest.image;
    const input = this.#tensor(pixels, [batch, 3, size, size]);
    const { features } = await this.#vision.run({ pixels: input });
    if (!features) throw new NarvlError('invalid-model', 'vision.onnx has no output "features"');
    return { batch, tensor: features, dispose: () => features.dispose() };
  }

  /**
   * Read a prompt beside the images.
   *
   * @param into a buffer on the encoder's device that takes the memory; without it the memory,
   * f32 [batch, T, width], comes back on the CPU
   */
  async fuse(features: Features, prompt: EncoderPrompt, into: GPUBuffer): Promise<Fused>;
  async fuse(
    features: Features,
    prompt: EncoderPrompt,
  ): Promise<Fused & { readonly memory: Float32Array }>;
  async fuse(
    features: Features,
    { ids: prompt, places: mapped = false }: EncoderPrompt,
    into?: GPUBuffer,
  ): Promise<Fused & { readonly memory: Float32Array | undefined }> {
    const { batch } = features;
    const { memory: rows, width } = this.#manifest.decoder;
    const ids = new Int32Array(batch * prompt.length);
    for (let b = 0; b < batch; b++) ids.set(prompt, b * prompt.length);
    const feeds = {
      features: features.tensor,
      prompt: new this.#ort.Tensor('int32', ids, [batch, prompt.length]),
    };
    const { memory, names, likely, evidence, places } = await this.#fusion.run(feeds, {
      memory: into ? this.#tensor(into, [batch, rows, width]) : null,
      ...(this.#manifest.names ? { names: null, likely: null } : {}),
      ...(this.#manifest.decoder.evidence ? { evidence: null } : {}),
      ...(mapped ? { places: null } : {}),
    });
    if (!memory) throw new NarvlError('invalid-model', 'fusion.onnx has no output "memory"');
    const said = names && likely && [await names.getData(true), await likely.getData(true)];
    return {
      memory: into ? undefined : ((await memory.getData(true)) as Float32Array),
      evidence: evidence && ((await evidence.getData(true)) as Float32Array),
      places: places && ((await places.getData(true)) as Float32Array),
      names: said ? this.#readNames(said[0] as Int32Array, said[1] as Float32Array, batch) : [],
    };
  }

  /**
   * @param ids [batch, names, tokens of each], filled up by the prompt's padding
   * @param likely [batch, names]
   */
  #readNames(ids: Int32Array, likely: Float32Array, batch: number): Name[][] {
    const { names: { count, length } = { count: 0, length: 0 }, prompt } = this.#manifest;
    return Array.from({ length: batch }, (_, image) =>
      Array.from({ length: count }, (_, i) => {
        const name = image * count + i;
        const tokens = ids.subarray(name * length, (name + 1) * length);
        return {
          tokens: [...tokens].filter((id) => id !== prompt.pad),
          likely: likely[name] ?? 0,
        };
      }),
    );
  }

  #tensor(data: Float32Array | GPUBuffer, dims: readonly number[]): Tensor {
    return data instanceof Float32Array
      ? new this.#ort.Tensor('float32', data, dims)
      : this.#ort.Tensor.fromGpuBuffer(data, { dataType: 'float32', dims });
  }
}
