/** What is timed: ways from a memory on the GPU to words on the CPU. */
import { chooseBox } from '../src/decode/location.ts';
import { type Search, search } from '../src/decode/search.ts';
import { onnxRuntime } from '../src/encoder/runtime.ts';
import type { GpuDecoder } from '../src/gpu/decoder.ts';
import type { DecoderCost, QueryRange } from '../src/model/decoder.ts';
import { ReferenceDecoder } from '../src/reference/decoder.ts';
import { randomNumbers, seededRandom } from '../src/testing/random.ts';
import { WasmDecoder } from '../src/wasm/decoder.ts';
import type { AutoregressiveDecoder } from './autoregressive/decoder.ts';
import type { Contender } from './measure.ts';
import { INSIDE, type OnnxDecoder, PART, tokensOf } from './onnx/decoder.ts';
import type { Size } from './sizes.ts';

/** f32 [batch, T, width]: the same for all. */
export function memoryOf({ shape }: Size, batch: number): Float32Array<ArrayBuffer> {
  const image = randomNumbers(seededRandom(1), shape.memory * shape.width);
  const memory = new Float32Array(batch * image.length);
  for (let i = 0; i < batch; i++) memory.set(image, i * image.length);
  return memory;
}

/** Memory rows of every image: all of them. */
export function fullLengths({ shape }: Size, batch: number): number[] {
  return new Array<number>(batch).fill(shape.memory);
}

/** A contender that counts what its last run did to the GPU. */
export function counted(
  name: string,
  run: () => Promise<{ readonly cost: DecoderCost }>,
): Contender {
  let cost: DecoderCost | undefined;
  return {
    name,
    get cost() {
      return cost;
    },
    run: async () => {
      ({ cost } = await run());
    },
  };
}

/** (a) Our decoder: one pass. */
export function onePass(
  name: string,
  decoder: GpuDecoder,
  memoryLengths: readonly number[],
  queries: QueryRange,
): Contender {
  return counted(name, () => decoder.decode({ memoryLengths, queries }));
}

/** (a) The same, and the best whole text of its posteriors, as the runtime looks for it. */
export function searched(
  name: string,
  decoder: GpuDecoder,
  memoryLengths: readonly number[],
  queries: QueryRange,
  how: Search,
): Contender {
  return counted(name, async () => {
    const result = await decoder.decode({ memoryLengths, queries, posteriors: true });
    for (const { posteriors, tokens } of result.decodings) {
      if (posteriors) search(posteriors, tokens, how);
    }
    return result;
  });
}

/** (a) One pass, and the best box by what its slots say of the location tokens. */
export function pointed(
  name: string,
  decoder: GpuDecoder,
  memoryLengths: readonly number[],
  { queries, tokens, how }: NonNullable<Size['boxes']>,
): Contender {
  return counted(name, async () => {
    const result = await decoder.decode({ memoryLengths, queries, tokens });
    for (const { table } of result.decodings) if (table) chooseBox(table, how);
    return result;
  });
}

/** (a) One pass that scores the labels' texts exactly. */
export function judged(
  name: string,
  decoder: GpuDecoder,
  memoryLengths: readonly number[],
  { queries, labels }: NonNullable<Size['verdicts']>,
): Contender {
  return counted(name, () => decoder.decode({ memoryLengths, queries, candidates: labels }));
}

/** (b), (c), (d) Its opponent, which is told how many words to write. */
export function autoregressive(
  name: string,
  decoder: AutoregressiveDecoder,
  memoryLengths: readonly number[],
  words: number,
  wait: 'end' | 'word' = 'end',
): Contender {
  return counted(name, () => decoder.decode(memoryLengths, words, wait));
}

/** A contender whose memory may be written anew. */
export interface OnnxContender<Memory> extends Contender {
  readonly memory: Memory;
}

/** (e) The same decoder in onnxruntime on the same device: memory from a buffer of ours, tokens back. */
export async function onnxOnGpu(
  name: string,
  device: GPUDevice,
  size: Size,
  decoder: OnnxDecoder,
  graphCapture: boolean,
): Promise<OnnxContender<GPUBuffer>> {
  const ort = await onnxRuntime();
  const { memory: rows, width } = size.shape;
  const session = await ort.InferenceSession.create(decoder.file, {
    executionProviders: [{ name: 'webgpu', device }],
    preferredOutputLocation: 'gpu-buffer',
    enableGraphCapture: graphCapture,
  });
  const lengths = [size.captions.count, size.captions.count * decoder.parts];
  const memory = device.createBuffer({
    size: rows * width * 4,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
  });
  const readback = device.createBuffer({
    size: 4 * lengths.reduce((sum, length) => sum + length, 0),
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  device.queue.writeBuffer(memory, 0, memoryOf(size, 1));
  const feeds = {
    memory: ort.Tensor.fromGpuBuffer(memory, { dataType: 'float32', dims: [1, rows, width] }),
  };
  return {
    name,
    memory,
    run: async () => {
      // The runtime's own buffers: of a captured graph it forgets those that it was given.
      const found = await session.run(feeds);
      const outputs = [found[PART], found[INSIDE]];
      const encoder = device.createCommandEncoder();
      let offset = 0;
      for (const [i, length = 0] of lengths.entries()) {
        const { gpuBuffer } = outputs[i] ?? {};
        if (!gpuBuffer) throw new Error('onnxruntime gave no tokens on the GPU');
        encoder.copyBufferToBuffer(gpuBuffer as GPUBuffer, 0, readback, offset, 4 * length);
        offset += 4 * length;
      }
      device.queue.submit([encoder.finish()]);
      await readback.mapAsync(GPUMapMode.READ);
      const numbers = new Int32Array(readback.getMappedRange());
      const [slots = 0] = lengths;
      const tokens = tokensOf(decoder, numbers.slice(0, slots), numbers.slice(slots));
      readback.unmap();
      for (const output of outputs) output?.dispose();
      return tokens;
    },
    dispose: async () => {
      await session.release();
      for (const buffer of [memory, readback]) buffer.destroy();
    },
  };
}

/** (g) The same graph in onnxruntime's WebAssembly. */
export async function onnxInWasm(
  name: string,
  size: Size,
  decoder: OnnxDecoder,
): Promise<OnnxContender<Float32Array>> {
  const ort = await onnxRuntime();
  const { memory: rows, width } = size.shape;
  const session = await ort.InferenceSession.create(decoder.file, { executionProviders: ['wasm'] });
  const memory = memoryOf(size, 1);
  const feeds = { memory: new ort.Tensor('float32', memory, [1, rows, width]) };
  return {
    name,
    memory,
    run: async () => {
      const found = await session.run(feeds);
      const [part, inside] = [found[PART]?.data, found[INSIDE]?.data];
      return tokensOf(decoder, part as Int32Array, inside as Int32Array);
    },
    dispose: () => session.release(),
  };
}

/** (g) What runs without WebGPU: the model's own graph, in WebAssembly. */
export async function fallback(
  name: string,
  size: Size,
  { graph, weights }: NonNullable<Size['fallback']>,
): Promise<Contender> {
  const decoder = await WasmDecoder.create(size.shape, graph, weights);
  const memory = memoryOf(size, 1);
  const request = { memoryLengths: fullLengths(size, 1), queries: size.captions };
  return { name, run: () => decoder.decode(memory, request) };
}

/** (g) Where not even that is there: plain TypeScript. */
export function inTypeScript(name: string, size: Size): Contender {
  const decoder = new ReferenceDecoder(size.shape, size.weights);
  const memory = memoryOf(size, 1);
  const request = { memoryLengths: fullLengths(size, 1), queries: size.captions };
  return { name, run: async () => decoder.decode(memory, request) };
}
