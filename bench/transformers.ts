/** Contender (f): transformers.js, which writes word by word with the autoregressive decoder. */
import type { PreTrainedModel } from '@huggingface/transformers';
import type { InferenceSession, Tensor as Memory } from 'onnxruntime-web';
import { onnxRuntime } from '../src/encoder/runtime.ts';
import { START } from './autoregressive/plan.ts';
import { memoryOf, type OnnxContender } from './contenders.ts';
import { autoregressiveDecoder, presentNames } from './onnx/autoregressive.ts';
import { FLOAT, Graph } from './onnx/graph.ts';
import type { Size } from './sizes.ts';

type Library = typeof import('@huggingface/transformers');

/** A model in its layout: what its files hold, by their addresses in its folder. */
export type TransformersFiles = Readonly<Record<string, Uint8Array<ArrayBuffer> | object>>;

/** What the library calls the model. */
const MODEL = 'narvl';
let loading: Promise<Library> | undefined;

/** The size's autoregressive decoder, behind an encoder that hands on the memory. */
export function transformersFiles({ shape, weights }: Size): TransformersFiles {
  const { width, heads, layers, memory } = shape;
  const encoder = new Graph();
  const rows = { type: FLOAT, shape: [1, memory, width] };
  return {
    // Without an end: it is told how many words to write, as the others are.
    'config.json': {
      model_type: 'vision-encoder-decoder',
      is_encoder_decoder: true,
      decoder_start_token_id: START,
      decoder: {
        // A decoder type whose cache holds the memory's keys and values.
        model_type: 'trocr',
        decoder_layers: layers,
        decoder_attention_heads: heads,
        d_model: width,
      },
    },
    'generation_config.json': {},
    'onnx/encoder_model.onnx': encoder.encode(
      [{ ...rows, name: 'pixel_values' }],
      [{ ...rows, name: 'last_hidden_state', value: 'pixel_values' }],
    ),
    'onnx/decoder_model_merged.onnx': autoregressiveDecoder(shape, weights),
  };
}

/** (f) transformers.js on the same device: memory from a buffer of ours, so many words back. */
export async function transformersOnGpu(
  name: string,
  device: GPUDevice,
  size: Size,
  files: TransformersFiles,
  words: number,
): Promise<OnnxContender<GPUBuffer>> {
  const { memory: rows, width } = size.shape;
  // What its own 'webgpu' sets.
  const onGpu = presentNames(size.shape).map((present) => [present, 'gpu-buffer' as const]);
  const writer = await Writer.create(files, {
    executionProviders: [{ name: 'webgpu', device }],
    preferredOutputLocation: Object.fromEntries(onGpu),
  });
  const memory = device.createBuffer({
    size: rows * width * 4,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
  });
  device.queue.writeBuffer(memory, 0, memoryOf(size, 1));
  const { Tensor } = await onnxRuntime();
  const tensor = Tensor.fromGpuBuffer(memory, { dataType: 'float32', dims: [1, rows, width] });
  return {
    name,
    memory,
    run: () => writer.write(tensor, words),
    dispose: async () => {
      await writer.dispose();
      memory.destroy();
    },
  };
}

/** (f) The same in WebAssembly. */
export async function transformersInWasm(
  name: string,
  size: Size,
  files: TransformersFiles,
  words: number,
): Promise<OnnxContender<Float32Array>> {
  const writer = await Writer.create(files, { executionProviders: ['wasm'] });
  const { memory: rows, width } = size.shape;
  const memory = memoryOf(size, 1);
  const { Tensor } = await onnxRuntime();
  const tensor = new Tensor('float32', memory, [1, rows, width]);
  return {
    name,
    memory,
    run: () => writer.write(tensor, words),
    dispose: () => writer.dispose(),
  };
}

/** transformers.js with a model that stands in memory. */
class Writer {
  private constructor(
    private readonly library: Library,
    private readonly model: PreTrainedModel,
  ) {}

  static async create(
    files: TransformersFiles,
    session: InferenceSession.SessionOptions,
  ): Promise<Writer> {
    const library = await load();
    library.env.fetch = async (address: string | URL) => {
      const [, path = ''] = String(address).split(`/${MODEL}/`);
      const file = files[path];
      const body = file instanceof Uint8Array ? file : JSON.stringify(file);
      return new Response(body ?? null, { status: file ? 200 : 404 });
    };
    const model = await library.VisionEncoderDecoderModel.from_pretrained(MODEL, {
      dtype: 'fp32',
      // With its host's runtime it knows no device by name, and takes the session's options.
      device: 'auto',
      session_options: session,
    });
    // Its T5 lists what an encoder said among its inputs; the code is the same for both.
    model.forward_params.push('encoder_outputs');
    return new Writer(library, model);
  }

  /** @param memory f32 [1, T, width] @returns as many token ids, the likeliest each time */
  async write(memory: Memory, words: number): Promise<number[]> {
    const { Tensor } = this.library;
    const rows = new Tensor(memory);
    const text = await this.model.generate({
      // Only the number of images is read of it.
      inputs: rows,
      encoder_outputs: rows,
      max_new_tokens: words,
    });
    if (!(text instanceof Tensor)) throw new Error('transformers.js gave no token ids');
    const [, ...written] = Array.from(text.data, Number);
    return written;
  }

  async dispose(): Promise<void> {
    await this.model.dispose();
  }
}

/** The library, on first use. It takes the onnxruntime that its host names, and so our device. */
function load(): Promise<Library> {
  loading ??= onnxRuntime().then(async (ort) => {
    Object.assign(globalThis, { [Symbol.for('onnxruntime')]: ort });
    const library = await import('@huggingface/transformers');
    // Files are asked for as a local model's, and never kept; `fetch` is replaced for each.
    const settings = { allowRemoteModels: false, allowLocalModels: true, useBrowserCache: false };
    Object.assign(library.env, settings);
    return library;
  });
  return loading;
}
