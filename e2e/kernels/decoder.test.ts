/** The whole GPU decoder against the whole reference decoder, and what a pass may cost. */
import { expect, test } from 'vitest';
import { NarvlError } from '../../src/errors.ts';
import { GpuDecoder } from '../../src/gpu/decoder.ts';
import { requestGpu } from '../../src/gpu/device.ts';
import { hardwareTiling, softwareTiling } from '../../src/gpu/tiling.ts';
import { ArrivingWeights } from '../../src/model/arriving-weights.ts';
import {
  type DecodeRequest,
  type DecoderShape,
  posteriorCount,
  type Scored,
} from '../../src/model/decoder.ts';
import { ReferenceDecoder } from '../../src/reference/decoder.ts';
import { layerNorm } from '../../src/reference/layernorm.ts';
import { expectClose } from '../../src/testing/close.ts';
import { randomNumbers, randomWeights, seededRandom } from '../../src/testing/random.ts';
import { writeSafetensors } from '../../src/testing/safetensors.ts';
import { withDevice } from './device.ts';

const small: DecoderShape = {
  width: 48,
  heads: 4,
  layers: 2,
  ffn: 100,
  vocabulary: 301,
  queries: 32,
  memory: 37,
  blank: 0,
  eos: 2,
  epsilon: 1e-5,
};

const weights = randomWeights(small, 1);
const reference = new ReferenceDecoder(small, weights);
const everything: DecodeRequest = { memoryLengths: [37], queries: { first: 0, count: 32 } };

const nothing: Scored = {
  logProbs: new Float32Array(),
  table: { tokens: new Uint32Array(), logProbs: new Float32Array() },
};

let shared: Promise<GpuDecoder> | undefined;

/** One decoder for all tests that leave it as it was: compiling takes most of their time. */
function smallDecoder(device: GPUDevice): Promise<GpuDecoder> {
  shared ??= GpuDecoder.create(device, small, weights);
  return shared;
}

/** A memory whose rows beyond each image's length are NaN: nobody may read them. */
function randomMemory(shape: DecoderShape, lengths: readonly number[], seed: number): Float32Array {
  const random = seededRandom(seed);
  const memory = randomNumbers(random, lengths.length * shape.memory * shape.width, 2);
  lengths.forEach((length, image) => {
    const start = (image * shape.memory + length) * shape.width;
    memory.fill(Number.NaN, start, (image + 1) * shape.memory * shape.width);
  });
  return memory;
}

/** Decodes on the GPU and in the reference, and compares all they say. */
async function compare(
  device: GPUDevice,
  gpu: GpuDecoder,
  oracle: ReferenceDecoder,
  request: DecodeRequest,
  seed: number,
  evidence?: Float32Array<ArrayBuffer>,
): Promise<void> {
  const { memoryLengths } = request;
  const memory = randomMemory(oracle.shape, memoryLengths, seed);
  device.queue.writeBuffer(gpu.memoryBuffer(memoryLengths.length), 0, memory.buffer);
  const heard = gpu.evidenceBuffer(memoryLengths.length);
  if (heard && evidence) device.queue.writeBuffer(heard, 0, evidence);
  const { decodings, cost } = await gpu.decode(request);
  const wanted = oracle.decode(memory, request, evidence);
  expect(decodings.length).toBe(wanted.length);
  decodings.forEach((got, image) => {
    const want = wanted[image]!;
    expect(got.tokens).toEqual(want.tokens);
    expect(got.slots.map(({ token, kept }) => ({ token, kept }))).toEqual(
      want.slots.map(({ token, kept }) => ({ token, kept })),
    );
    expectClose(
      got.slots.map(({ logProb }) => logProb),
      want.slots.map(({ logProb }) => logProb),
      1e-4,
    );
    expect(got.posteriors?.k).toBe(want.posteriors?.k);
    if (got.posteriors && want.posteriors) {
      expect(got.posteriors.tokens).toEqual(want.posteriors.tokens);
      expectClose(got.posteriors.logProbs, want.posteriors.logProbs, 1e-4);
    }
    expect(got.attention === undefined).toBe(want.attention === undefined);
    if (got.attention && want.attention) expectClose(got.attention, want.attention, 1e-5);
    expect(got.scored === undefined).toBe(want.scored === undefined);
    if (got.scored && want.scored) {
      expectClose(got.scored.logProbs, want.scored.logProbs, 1e-4);
      expect(got.scored.table.tokens).toEqual(want.scored.table.tokens);
      expectClose(got.scored.table.logProbs, want.scored.table.logProbs, 1e-4);
    }
    expect(got.table?.tokens).toEqual(want.table?.tokens);
    if (got.table && want.table) expectClose(got.table.logProbs, want.table.logProbs, 1e-4);
  });

  const { layers, memory: memoryRows } = oracle.shape;
  const slots = memoryLengths.length * request.queries.count;
  const text = request.posteriors
    ? 4 * slots * posteriorCount(oracle.shape)
    : 4 * memoryLengths.length + 16 * slots;
  const attention = request.attention ? slots * memoryRows * 4 : 0;
  // Scores and the table that they are of, or a table alone.
  const scored = wanted.reduce((sum, { scored: { logProbs, table } = nothing, table: alone }) => {
    return sum + 4 * (logProbs.length + (alone ?? table).logProbs.length);
  }, 0);
  expect(cost).toEqual({
    dispatches:
      8 * layers +
      (request.candidates ? 2 : 0) +
      (request.tokens ? 1 : 0) +
      (request.attention ? 1 : 0),
    submits: 1,
    bytesRead: text + scored + attention,
  });
}

test.each([
  ['software', softwareTiling],
  ['hardware', hardwareTiling],
])('a small decoder, cut for %s', (_, tiling) =>
  withDevice(async ({ device }) => {
    const gpu = await GpuDecoder.create(device, small, weights, tiling);
    const some = { first: 5, count: 7 };
    const requests: DecodeRequest[] = [
      everything,
      { ...everything, memoryLengths: [20], posteriors: true },
      { memoryLengths: [1, 37, 12], queries: some },
      { memoryLengths: [30, 2, 37], queries: some, posteriors: true },
      { memoryLengths: [30, 2], queries: some, candidates: [[7, 9], [], [7, 7, 300, 8]] },
      { memoryLengths: [30, 2], queries: some, attention: true },
      { memoryLengths: [9], queries: some, attention: true, posteriors: true, candidates: [[4]] },
      { memoryLengths: [37], queries: some, posteriors: true, candidates: [[1]] },
      { memoryLengths: [30, 2, 5], queries: some, tokens: [300, 7, 9, 8, 11] },
      { memoryLengths: [9], queries: some, attention: true, posteriors: true, tokens: [4] },
    ];
    for (const [seed, request] of requests.entries()) {
      await compare(device, gpu, reference, request, seed);
    }
    gpu.dispose();
  }),
);

test.each([
  ['software', softwareTiling],
  ['hardware', hardwareTiling],
  ['one row a tile', { ...hardwareTiling, tileRows: 1 }],
] as const)('slots that listen to evidence, cut for %s', (_, tiling) =>
  withDevice(async ({ device }) => {
    const shape = { ...small, vocabulary: 304, evidence: true };
    const listening = randomWeights(shape, 5);
    const oracle = new ReferenceDecoder(shape, listening);
    const gpu = await GpuDecoder.create(device, shape, listening, tiling);
    const random = seededRandom(8);
    const evidence = new Float32Array(randomNumbers(random, 3 * shape.vocabulary, 30));
    // Slots of two images in a tile, and the second range's tilt is not the table's first.
    const some = { first: 5, count: 7 };
    const requests: DecodeRequest[] = [
      { memoryLengths: [1, 37, 12], queries: some, posteriors: true },
      { memoryLengths: [30, 2, 9], queries: some, candidates: [[7, 9], [], [7, 7, 300, 8]] },
      { memoryLengths: [30, 2, 5], queries: some, tokens: [300, 7, 9, 8, 11] },
      { memoryLengths: [20, 30, 37], queries: { first: 0, count: 32 } },
    ];
    const said: number[][] = [];
    for (const [seed, request] of requests.entries()) {
      await compare(device, gpu, oracle, request, seed, evidence);
      const memory = new Float32Array(3 * shape.memory * shape.width);
      for (const heard of [evidence, undefined]) {
        const [image] = oracle.decode(memory, request, heard);
        said.push(image?.slots.map(({ token }) => token) ?? []);
      }
    }
    expect(said[0]).not.toEqual(said[1]);
    // A batch that nothing was said of is one without evidence.
    await compare(device, gpu, oracle, { ...everything, memoryLengths: [37, 20] }, 9);
    gpu.dispose();
    const wrong = new Float32Array(shape.vocabulary);
    const memory = new Float32Array(2 * shape.memory * shape.width);
    const request = { ...everything, memoryLengths: [1, 2] };
    expect(() => oracle.decode(memory, request, wrong)).toThrow(/evidence: expected \[2, 304\]/);
  }),
);

test('a memory that lacks its norm, which costs no dispatch', () =>
  withDevice(async ({ device }) => {
    const random = seededRandom(6);
    const gain = randomNumbers(random, small.width).map((x) => 1 + x / 4);
    const bias = randomNumbers(random, small.width);
    // As files come: the decoder's own before what the norm is in.
    const norm = new Promise<{ gain: Float32Array; bias: Float32Array }>((resolve) => {
      setTimeout(() => resolve({ gain, bias }), 20);
    });
    const gpu = await GpuDecoder.create(device, small, weights, hardwareTiling, norm);
    expect(gpu.normsMemory).toBe(true);
    expect((await smallDecoder(device)).normsMemory).toBe(false);
    const memory = randomNumbers(random, small.memory * small.width, 3);
    const normed = layerNorm(memory, { gain, bias, epsilon: small.epsilon });
    const [wanted] = reference.decode(Float32Array.from(normed), everything);
    device.queue.writeBuffer(gpu.memoryBuffer(1), 0, memory.buffer);
    const { decodings, cost } = await gpu.decode(everything);
    expect(decodings[0]?.slots.map(({ token }) => token)).toEqual(
      wanted?.slots.map(({ token }) => token),
    );
    expectClose(
      decodings[0]?.slots.map(({ logProb }) => logProb) ?? [],
      wanted?.slots.map(({ logProb }) => logProb) ?? [],
      1e-4,
    );
    expect(cost.dispatches).toBe(8 * small.layers);
    gpu.dispose();

    const failed = Promise.reject(new NarvlError('integrity', 'no norm'));
    await expect(
      GpuDecoder.create(device, small, weights, hardwareTiling, failed),
    ).rejects.toMatchObject({ code: 'integrity' });
  }));

test('one layer, one head, fewer tokens than posteriors, one query', () =>
  withDevice(async ({ device }) => {
    const shape = { ...small, layers: 1, heads: 1, vocabulary: 5, queries: 1, memory: 1 };
    const oneLayer = randomWeights(shape, 2);
    const gpu = await GpuDecoder.create(device, shape, oneLayer);
    const request = {
      ...{ memoryLengths: [1, 1], queries: { first: 0, count: 1 } },
      ...{ posteriors: true, attention: true },
    };
    await compare(device, gpu, new ReferenceDecoder(shape, oneLayer), request, 1);
    gpu.dispose();
  }));

test('at most 1 KiB an image goes back at 32 slots, posteriors or not', () =>
  withDevice(async ({ device }) => {
    const gpu = await smallDecoder(device);
    const memory = randomMemory(small, [37], 1);
    device.queue.writeBuffer(gpu.memoryBuffer(1), 0, memory.buffer);
    const plain = await gpu.decode(everything);
    expect(plain.cost.bytesRead).toBeLessThanOrEqual(1024);
    const full = await gpu.decode({ ...everything, posteriors: true });
    expect(full.cost.bytesRead).toBeLessThanOrEqual(1024);
  }));

test('passes that overlap each get their own result', () =>
  withDevice(async ({ device }) => {
    const gpu = await smallDecoder(device);
    const memories = [1, 2, 3].map((seed) => randomMemory(small, [37], seed));
    device.queue.writeBuffer(gpu.memoryBuffer(1), 0, memories[0]!.buffer);
    await gpu.decode(everything); // Builds the plan: only later passes may overlap.
    const passes = memories.map((memory) => {
      device.queue.writeBuffer(gpu.memoryBuffer(1), 0, memory.buffer);
      return gpu.decode(everything);
    });
    const results = await Promise.all(passes);
    results.forEach(({ decodings }, i) => {
      expect(decodings[0]?.tokens).toEqual(reference.decode(memories[i]!, everything)[0]?.tokens);
    });
  }));

test('memory that is not finite is an invalid model, not a text', () =>
  withDevice(async ({ device }) => {
    const gpu = await smallDecoder(device);
    const memory = new Float32Array(small.memory * small.width).fill(Number.NaN);
    device.queue.writeBuffer(gpu.memoryBuffer(1), 0, memory);
    await expect(gpu.decode(everything)).rejects.toMatchObject({ code: 'invalid-model' });
    expect(() => reference.decode(memory, everything)).toThrow(/no likeliest token/);
  }));

test('requests and weights that do not fit say so', () =>
  withDevice(async ({ device }) => {
    const gpu = await smallDecoder(device);
    const wrong: DecodeRequest[] = [
      { memoryLengths: [], queries: { first: 0, count: 1 } },
      { memoryLengths: [0], queries: { first: 0, count: 1 } },
      { memoryLengths: [38], queries: { first: 0, count: 1 } },
      { memoryLengths: [1], queries: { first: 32, count: 1 } },
      { memoryLengths: [1], queries: { first: 31, count: 2 } },
      { memoryLengths: [1], queries: { first: 0, count: 0 } },
      { ...everything, candidates: [] },
      { ...everything, candidates: [[5], [5, 301]] },
      { ...everything, candidates: [[small.blank]] },
      { ...everything, candidates: [[small.eos]] },
      { ...everything, tokens: [] },
      { ...everything, tokens: [5, 6, 5] },
      { ...everything, tokens: [301] },
      { ...everything, tokens: [small.blank] },
      { ...everything, tokens: [5], candidates: [[5]] },
    ];
    for (const request of wrong) {
      await expect(gpu.decode(request)).rejects.toMatchObject({ code: 'invalid-argument' });
    }
    // More memory than a binding takes: refused before the GPU is asked.
    expect(() => gpu.memoryBuffer(2_000_000)).toThrow(/use a smaller batch/);
    const lacking = new Map(weights);
    lacking.delete('head.bias');
    await expect(GpuDecoder.create(device, small, lacking)).rejects.toMatchObject({
      code: 'invalid-model',
      message: 'weight head.bias is missing',
    });
  }));

/** The decoder of weights whose file the caller sends, and the buffers that were made for them. */
function arriving(device: GPUDevice) {
  const made: GPUBuffer[] = [];
  const destroyed: GPUBuffer[] = [];
  const watched = new Proxy(device, {
    get(target, name) {
      if (name === 'createBuffer') {
        return (descriptor: GPUBufferDescriptor) => {
          const buffer = target.createBuffer(descriptor);
          const destroy = buffer.destroy.bind(buffer);
          buffer.destroy = () => {
            destroyed.push(buffer);
            destroy();
          };
          made.push(buffer);
          return buffer;
        };
      }
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const file = writeSafetensors(weights);
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const decoder = GpuDecoder.create(watched, small, new ArrivingWeights(readable, file.length));
  return { decoder, file, made, destroyed, writer: writable.getWriter() };
}

test('weights go to the GPU as they come, and no decoder is there before their file is checked', () =>
  withDevice(async ({ device }) => {
    const { decoder, file, made, writer } = arriving(device);
    await writer.write(file.subarray(0, -4));
    await expect.poll(() => made.length).toBeGreaterThan(10);
    const early = made.length;
    await writer.write(file.subarray(-4));
    await expect.poll(() => made.length).toBeGreaterThan(early);
    const first = await Promise.race([decoder, new Promise((r) => setTimeout(r, 200, 'waiting'))]);
    expect(first).toBe('waiting');
    await writer.close();
    const [gpu, whole] = [await decoder, await smallDecoder(device)];
    const memory = randomMemory(small, [37], 5);
    const [a, b] = await Promise.all(
      [gpu, whole].map((it) => {
        device.queue.writeBuffer(it.memoryBuffer(1), 0, memory.buffer);
        return it.decode({ ...everything, posteriors: true });
      }),
    );
    expect(a).toEqual(b);
    gpu.dispose();
  }));

test('weights whose file breaks off leave no buffer behind', () =>
  withDevice(async ({ device }) => {
    const { decoder, file, made, destroyed, writer } = arriving(device);
    decoder.catch(() => {});
    await writer.write(file.subarray(0, -4));
    await expect.poll(() => made.length).toBeGreaterThan(10);
    const reason = new NarvlError('integrity', 'another file');
    await writer.abort(reason);
    await expect(decoder).rejects.toBe(reason);
    expect(new Set(destroyed)).toEqual(new Set(made));
  }));

test('a disposed decoder says so, before and during a pass', () =>
  withDevice(async ({ device }) => {
    const gpu = await GpuDecoder.create(device, small, weights);
    device.queue.writeBuffer(gpu.memoryBuffer(1), 0, randomMemory(small, [37], 1).buffer);
    await gpu.decode(everything);
    const underWay = gpu.decode(everything);
    gpu.dispose();
    gpu.dispose();
    await expect(underWay).rejects.toMatchObject({ code: 'disposed' });
    await expect(gpu.decode(everything)).rejects.toMatchObject({ code: 'disposed' });
    expect(() => gpu.memoryBuffer(1)).toThrow(/disposed/);
  }));

test('a lost device says so, before and during a pass', async () => {
  const { device, lost } = await requestGpu(navigator.gpu);
  const gpu = await GpuDecoder.create(device, small, weights);
  device.queue.writeBuffer(gpu.memoryBuffer(1), 0, randomMemory(small, [37], 1).buffer);
  await gpu.decode(everything);
  const underWay = gpu.decode(everything);
  device.destroy();
  await expect(underWay).rejects.toMatchObject({ code: 'device-lost' });
  await expect(gpu.decode(everything)).rejects.toMatchObject({ code: 'device-lost' });
  expect(await lost).toMatchObject({ code: 'device-lost' });
});

test('an error that no call catches is kept until somebody asks', async () => {
  const { device, takeError } = await requestGpu(navigator.gpu);
  expect(takeError()).toBeUndefined();
  // Dawn in Node calls at once, a browser later.
  const arrived = new Promise((resolve) => device.addEventListener('uncapturederror', resolve));
  const buffer = device.createBuffer({ size: 16, usage: GPUBufferUsage.COPY_DST });
  for (const numbers of [8, 12]) device.queue.writeBuffer(buffer, 0, new Float32Array(numbers));
  await device.queue.onSubmittedWorkDone();
  await arrived;
  expect(takeError()).toMatchObject({
    code: 'worker-failed',
    message: expect.stringMatching(/refused.*size: 32/s),
  });
  device.destroy();
});

test('a browser without WebGPU has an error of its own', async () => {
  await expect(requestGpu(undefined)).rejects.toMatchObject({ code: 'webgpu-unavailable' });
});
