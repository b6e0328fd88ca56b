/** The fastest cut is one of those that can be built, and decodes as any other. */
import { expect, test, vi } from 'vitest';
import { GpuDecoder } from '../../src/gpu/decoder.ts';
import { hardwareTiling, softwareTiling, type Tiling } from '../../src/gpu/tiling.ts';
import { fastestDecoder } from '../../src/gpu/tune.ts';
import { ReferenceDecoder } from '../../src/reference/decoder.ts';
import { layerNorm } from '../../src/reference/layernorm.ts';
import { randomNumbers, randomWeights, seededRandom } from '../../src/testing/random.ts';
import { withDevice } from './device.ts';

const shape = {
  ...{ width: 32, heads: 4, layers: 1, ffn: 64, vocabulary: 301, queries: 8, memory: 12 },
  ...{ blank: 0, eos: 2, epsilon: 1e-5 },
};
const weights = randomWeights(shape, 3);
const queries = { first: 0, count: 8 };

test('of those that can be built, the one with the least median', () =>
  withDevice(async ({ device }) => {
    const candidates = new Map<string, Tiling>([
      ['software', softwareTiling],
      ['hardware', hardwareTiling],
      // Too many columns for any workgroup's memory.
      ['impossible', { ...hardwareTiling, tileColumns: 1 << 20 }],
    ]);
    device.pushErrorScope('validation');
    const random = seededRandom(5);
    const norm = {
      gain: randomNumbers(random, shape.width),
      bias: randomNumbers(random, shape.width),
    };
    const tuned = await fastestDecoder(device, shape, weights, queries, candidates, norm);
    await device.popErrorScope();
    expect([...tuned.milliseconds.keys()]).toEqual(['software', 'hardware']);
    expect(tuned.milliseconds.get(tuned.name)).toBe(Math.min(...tuned.milliseconds.values()));

    const memory = randomNumbers(random, shape.memory * shape.width);
    device.queue.writeBuffer(tuned.decoder.memoryBuffer(1), 0, memory.buffer);
    const request = { memoryLengths: [12], queries };
    const [wanted] = new ReferenceDecoder(shape, weights).decode(
      Float32Array.from(layerNorm(memory, { ...norm, epsilon: shape.epsilon })),
      request,
    );
    const { decodings } = await tuned.decoder.decode(request);
    expect(decodings[0]?.tokens).toEqual(wanted?.tokens);
    tuned.decoder.dispose();
  }));

test('of those that can be run', () =>
  withDevice(async ({ device }) => {
    const candidates = new Map<string, Tiling>([
      ['software', softwareTiling],
      ['hardware', hardwareTiling],
    ]);
    const broken = new Error('not finite');
    const decode = vi.spyOn(GpuDecoder.prototype, 'decode');
    try {
      decode.mockRejectedValueOnce(broken); // the first one's first pass
      const tuned = await fastestDecoder(device, shape, weights, queries, candidates);
      expect([...tuned.milliseconds.keys()]).toEqual(['hardware']);
      expect(tuned.name).toBe('hardware');
      tuned.decoder.dispose();

      decode.mockRejectedValue(broken);
      await expect(fastestDecoder(device, shape, weights, queries, candidates)).rejects.toBe(
        broken,
      );
    } finally {
      decode.mockRestore();
    }
  }));

test('if none can be built, why not', () =>
  withDevice(async ({ device }) => {
    const lacking = new Map(weights);
    lacking.delete('head.bias');
    await expect(fastestDecoder(device, shape, lacking, queries)).rejects.toMatchObject({
      code: 'invalid-model',
    });
  }));
