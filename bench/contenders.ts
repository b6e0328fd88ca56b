/** What is timed: ways from a memory on the GPU to words on the CPU. */
import { onnxRuntime } from '../src/encoder/runtime.ts';
import type { GpuDecoder } from '../src/gpu/decoder.ts';
import type { DecodeRequest, DecoderCost, QueryRange } from '../src/model/decoder.ts';
import { ReferenceDecoder } from '../src/reference/decoder.ts';
import { randomNumbers, seededRandom } from '../src/testing/random.ts';
import type { AutoregressiveDecoder } from './autoregressive/decoder.ts';
import type { Contender } from './measure.ts';
import { onnxDecoder } from './onnx/decoder.ts';
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

/** (a) Our decoder: one pass. */
export function onePass(
  name: string,
  decoder: GpuDecoder,
  memoryLengths: readonly number[],
  queries: QueryRange,
): Contender {
  const request: DecodeRequest = { memoryLengths, queries };
  let cost: DecoderCost | undefined;
  return {
    name,
    get cost() {
      return cost;
    },
    run: async () => {
      ({ cost } = await decoder.decode(request));
    },
  };
}

/** (b), (c), (d) Its opponent, which is told how many words to write. */
export function autoregressive(
  name: string,
  decoder: AutoregressiveDecoder,
  memoryLengths: readonly number[],
  words: number,
  wait: 'end' | 'word' = 'end',
): Contender {
  let cost: DecoderCost | undefined;
  return {
    name,
    get cost() {
      return cost;
    },
    run: async () => {
      ({ cost } = await decoder.decode(memoryLengths, words, wait));
    },
  };
}

/** (e) The same decoder in onnxruntime on the same device, its memory and result in our buffers. */
export async function onnxOnGpu(
  name: string,
  device: GPUDevice,
  size: Size,
  graphCapture: boolean,
): Promise<Contender> {
  const ort = await onnxRuntime();
  const { memory: rows, width } = size.shape;
  const file = onnxDecoder(size.shape, size.weights, size.captionSlots);
  const session = await ort.InferenceSession.create(file, {
    executionProviders: [{ name: 'webgpu', device }],
    preferredOutputLocation: 'gpu-buffer',
    enableGraphCapture: graphCapture,
  });
  const bytes = size.captionSlots * 4;
  const memory = device.createBuffer({
    size: rows * width * 4,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
  });
  const readback = device.createBuffer({
    size: bytes,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  device.queue.writeBuffer(memory, 0, memoryOf(size, 1));
  const feeds = {
    memory: ort.Tensor.fromGpuBuffer(memory, { dataType: 'float32', dims: [1, rows, width] }),
  };
  const [output = ''] = session.outputNames;
  return {
    name,
    run: async () => {
      // The runtime's own buffer: of a captured graph it forgets one that it was given.
      const tokens = (await session.run(feeds))[output];
      if (!tokens) throw new Error('onnxruntime gave no tokens');
      const encoder = device.createCommandEncoder();
      encoder.copyBufferToBuffer(tokens.gpuBuffer as GPUBuffer, 0, readback, 0, bytes);
      device.queue.submit([encoder.finish()]);
      await readback.mapAsync(GPUMapMode.READ);
      const found = Array.from(new Int32Array(readback.getMappedRange()));
      readback.unmap();
      tokens.dispose();
      return found;
    },
    dispose: async () => {
      await session.release();
      for (const buffer of [memory, readback]) buffer.destroy();
    },
  };
}

/** (g) The same graph in onnxruntime's WebAssembly. */
export async function onnxInWasm(name: string, size: Size): Promise<Contender> {
  const ort = await onnxRuntime();
  const { memory: rows, width } = size.shape;
  const file = onnxDecoder(size.shape, size.weights, size.captionSlots);
  const session = await ort.InferenceSession.create(file, { executionProviders: ['wasm'] });
  const feeds = { memory: new ort.Tensor('float32', memoryOf(size, 1), [1, rows, width]) };
  const [output = ''] = session.outputNames;
  return {
    name,
    run: async () => Array.from((await session.run(feeds))[output]?.data as Int32Array),
    dispose: () => session.release(),
  };
}

/** (g) What runs without WebGPU: plain TypeScript. */
export function inTypeScript(name: string, size: Size): Contender {
  const decoder = new ReferenceDecoder(size.shape, size.weights);
  const memory = memoryOf(size, 1);
  const request = {
    memoryLengths: fullLengths(size, 1),
    queries: { first: 0, count: size.captionSlots },
  };
  return { name, run: async () => decoder.decode(memory, request) };
}
