/** The vision plan against reference/vision.ts: a batch, every kind of block, either cut of products. */
import { expect, test } from 'vitest';
import { hardwareTiling, softwareTiling } from '../../src/gpu/tiling.ts';
import { compileVision, prepareVision, visionSteps } from '../../src/gpu/vision.ts';
import { PATCH } from '../../src/model/vision.ts';
import { vision } from '../../src/reference/vision.ts';
import { expectClose } from '../../src/testing/close.ts';
import { randomVision } from '../../src/testing/networks.ts';
import { randomNumbers, seededRandom } from '../../src/testing/random.ts';
import { poison, withDevice } from './device.ts';

test('a batch of images to features with room behind them', () =>
  withDevice(async (bench) => {
    const network = randomVision(1);
    const size = 48;
    const [batch, cells, width] = [2, 36, 40 + 4 * 12];
    const stride = width + 8;
    const image = (size / 2) ** 2 * PATCH;
    const patches = randomNumbers(seededRandom(2), batch * image);
    const wanted = [0, 1].map((i) => vision(network, patches.subarray(i * image, (i + 1) * image)));
    for (const tiling of [hardwareTiling, softwareTiling]) {
      const kernels = compileVision(bench.device, network, size, stride, tiling);
      const onGpu = await prepareVision(bench.buffers, network, size, tiling, kernels);
      const features = bench.output(batch * cells * stride);
      const steps = visionSteps(onGpu, bench.buffers, bench.upload(patches), features, batch);
      // Three a block, but for the one that expands nothing; the stem, the head and the finer scale.
      expect(steps).toHaveLength(3 * network.blocks.length - 1 + 3);
      const got = new Uint32Array(await bench.run(steps, features, batch * cells * stride));
      const isIn = (at: number) => at % stride < width;
      const numbers = new Float32Array(got.filter((_, at) => isIn(at)).buffer);
      wanted.forEach((of, i) => {
        expectClose(numbers.subarray(i * of.length, (i + 1) * of.length), of, 1e-4);
      });
      expect(got.every((word, at) => isIn(at) || word === poison)).toBe(true);
    }
  }));
