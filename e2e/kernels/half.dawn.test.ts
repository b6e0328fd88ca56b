/** Products in f16 beside the same in f32: for adapters with `shader-f16`, which SwiftShader is not. */
import { expect, test } from 'vitest';
import { GpuDecoder } from '../../src/gpu/decoder.ts';
import { LinearKernel } from '../../src/gpu/linear.ts';
import { packWeights } from '../../src/gpu/pack.ts';
import { hardwareTiling, softwareTiling, type Tiling } from '../../src/gpu/tiling.ts';
import { variants } from '../../src/gpu/tune.ts';
import {
  randomMatrix,
  randomNumbers,
  randomWeights,
  seededRandom,
} from '../../src/testing/random.ts';
import { type Bench, withDevice } from './device.ts';

const inHalves = { weightBits: 16, productBits: 16 } as const;

test('the adapter has shader-f16, without which nothing here means anything', () =>
  withDevice(async ({ device }) => {
    expect(device.features.has('shader-f16')).toBe(true);
  }));

/** What a layer makes of random rows, by products of 32 and of 16 bits. */
async function both(
  bench: Bench,
  { rows, inputs, outputs }: { rows: number; inputs: number; outputs: number },
  tiling: Tiling,
  normEpsilon?: number,
): Promise<[Float32Array, Float32Array]> {
  const random = seededRandom(inputs);
  const layer = {
    weight: randomMatrix(random, inputs, outputs).data,
    bias: new Float32Array(outputs),
  };
  const weights = packWeights(layer, 16);
  const buffers = {
    x: bench.upload(randomNumbers(random, rows * inputs)),
    weight: bench.upload(weights.weight),
    bias: bench.upload(weights.bias),
  };
  const options = { inputs, outputs, ...(normEpsilon ? { normEpsilon } : {}) };
  const outcome = async (productBits: 16 | 32) => {
    const cut = { ...tiling, ...inHalves, productBits };
    const kernel = await LinearKernel.compile(bench.device, options, cut);
    const y = bench.output(rows * outputs);
    return bench.floats([kernel.step(bench.buffers, { ...buffers, y }, rows)], y, rows * outputs);
  };
  return [await outcome(32), await outcome(16)];
}

test.each([
  ['few inputs, hardware', 64, hardwareTiling],
  ['as many as the network is wide, software', 256, softwareTiling],
  ['the paper’s feed-forward layer, hardware', 3072, hardwareTiling],
  ['the paper’s feed-forward layer, software: no slices shorten its sums', 3072, softwareTiling],
  ['one row', 256, { ...hardwareTiling, tileRows: 1 as const }],
])('a layer keeps three digits whatever its inputs: %s', (_, inputs, tiling) =>
  withDevice(async (bench) => {
    for (const epsilon of [undefined, 1e-5]) {
      const [wanted, got] = await both(bench, { rows: 5, inputs, outputs: 72 }, tiling, epsilon);
      const size = Math.hypot(...wanted) / Math.sqrt(wanted.length);
      const worst = Math.max(...wanted.map((value, i) => Math.abs(value - (got[i] ?? 0))));
      expect(worst).toBeLessThan(4e-3 * size);
      expect(worst).toBeGreaterThan(0); // Or nothing was computed in f16.
    }
  }),
);

test('a decoder of the shipped sizes says the same, in log probabilities to a hundredth', () =>
  withDevice(async ({ device }) => {
    const shape = {
      ...{ width: 256, heads: 8, layers: 4, ffn: 1024, vocabulary: 5000, queries: 32, memory: 88 },
      ...{ blank: 0, eos: 2, epsilon: 1e-5 },
    };
    const weights = randomWeights(shape, 1);
    const memory = randomNumbers(seededRandom(2), shape.memory * shape.width);
    const [whole, half] = await Promise.all(
      [32 as const, 16 as const].map(async (productBits) => {
        const cut = { ...hardwareTiling, ...inHalves, productBits };
        const decoder = await GpuDecoder.create(device, shape, weights, cut);
        device.queue.writeBuffer(decoder.memoryBuffer(1), 0, memory);
        const queries = { first: 0, count: 32 };
        const candidates = [[5, 6, 7], [4999], [8, 8, 9, 10, 11]];
        const pass = { memoryLengths: [80], queries, posteriors: true, candidates };
        const [decoding] = (await decoder.decode(pass)).decodings;
        decoder.dispose();
        return decoding;
      }),
    );
    expect(half?.tokens).toEqual(whole?.tokens);
    const worst = Math.max(
      ...(whole?.slots ?? []).map(({ logProb }, i) =>
        Math.abs(logProb - (half?.slots[i]?.logProb ?? Number.NaN)),
      ),
    );
    expect(worst).toBeLessThan(0.01);
    half?.scored?.logProbs.forEach((logProb, i) => {
      // Of 32 slots together.
      expect(logProb).toBeCloseTo(whole?.scored?.logProbs[i] ?? Number.NaN, 0);
    });
  }));

test('it is among the cuts that are tried', () => {
  expect([...variants.values()].some(({ productBits }) => productBits === 16)).toBe(true);
});
