/** depthwise.wgsl against reference/depthwise.ts, over sides that fit no strip. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DepthwiseKernel } from '../../src/gpu/depthwise.ts';
import { depthwise } from '../../src/reference/depthwise.ts';
import { expectClose } from '../../src/testing/close.ts';
import { randomNumbers, seededRandom } from '../../src/testing/random.ts';
import { type Bench, poison, withDevice } from './device.ts';

interface Case {
  seed: number;
  batch: number;
  side: number;
  channels: number;
  kernel: number;
  stride: number;
}

async function check(bench: Bench, c: Case): Promise<void> {
  const { batch, side, channels, kernel, stride } = c;
  const random = seededRandom(c.seed);
  const pixels = side * side * channels;
  const x = randomNumbers(random, batch * pixels, 6);
  const weight = randomNumbers(random, kernel * kernel * channels);
  const bias = randomNumbers(random, channels);
  const images = Array.from({ length: batch }, (_, i) => x.subarray(i * pixels, (i + 1) * pixels));
  const wanted = images.flatMap((image) => [
    ...depthwise(image, side, { channels, kernel, stride, weight, bias }),
  ]);

  const compiled = await DepthwiseKernel.compile(bench.device, { channels, side, kernel, stride });
  const tail = 16;
  const y = bench.output(wanted.length + tail);
  const buffers = { x: bench.upload(x), weight: bench.upload(weight), bias: bench.upload(bias), y };
  const step = compiled.step(bench.buffers, buffers, batch);
  const bytes = await bench.run([step], y, wanted.length + tail);
  expectClose(new Float32Array(bytes, 0, wanted.length), wanted, 2e-5);
  expect(new Uint32Array(bytes, wanted.length * 4).every((word) => word === poison)).toBe(true);
}

test('random sides, channels, windows, strides and batches', () =>
  withDevice(async (bench) => {
    const cases = fc.record({
      seed: fc.nat(),
      batch: fc.integer({ min: 1, max: 3 }),
      side: fc.integer({ min: 1, max: 19 }),
      channels: fc.integer({ min: 1, max: 40 }).map((n) => 4 * n),
      kernel: fc.constantFrom(3, 5),
      stride: fc.constantFrom(1, 2),
    });
    await fc.assert(
      fc.asyncProperty(cases, (c) => check(bench, c)),
      { seed: 1, numRuns: 16 },
    );
  }));

test('the sizes of a stage of the network', () =>
  withDevice(async (bench) => {
    await check(bench, { seed: 2, batch: 1, side: 56, channels: 144, kernel: 5, stride: 2 });
    await check(bench, { seed: 3, batch: 2, side: 7, channels: 1248, kernel: 5, stride: 1 });
  }));
