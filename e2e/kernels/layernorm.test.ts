/** layernorm.wgsl against reference/layernorm.ts. */
import { test } from 'vitest';
import { LayerNormKernel } from '../../src/gpu/layernorm.ts';
import { layerNorm } from '../../src/reference/layernorm.ts';
import { expectClose } from '../../src/testing/close.ts';
import { randomNumbers, seededRandom } from '../../src/testing/random.ts';
import { withDevice } from './device.ts';

test.each([
  [1, 4, 0],
  [3, 100, 0],
  [5, 257, 100],
])('%i rows of %i numbers around %i', (rows, width, mean) =>
  withDevice(async (bench) => {
    const random = seededRandom(rows * width);
    const x = randomNumbers(random, rows * width).map((value) => value + mean);
    const gain = randomNumbers(random, width);
    const bias = randomNumbers(random, width);
    const kernel = await LayerNormKernel.compile(bench.device, width, 1e-5);
    const y = bench.output(rows * width);
    const step = kernel.step(
      bench.buffers,
      { x: bench.upload(x), gain: bench.upload(gain), bias: bench.upload(bias), y },
      rows,
    );
    const got = await bench.floats([step], y, rows * width);
    expectClose(got, layerNorm(x, { gain, bias, epsilon: 1e-5 }), 2e-5);
  }),
);
