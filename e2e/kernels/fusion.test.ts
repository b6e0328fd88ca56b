/** The fusion plan against reference/fusion.ts: a batch, with all that it may have and with less, short prompts. */
import { expect, test } from 'vitest';
import { readTold } from '../../src/gpu/classes.ts';
import {
  compileFusion,
  fusionSteps,
  placesSteps,
  prepareFusion,
  seenBuffers,
  seenSteps,
} from '../../src/gpu/fusion.ts';
import { numbersOf } from '../../src/gpu/results.ts';
import { hardwareTiling, softwareTiling } from '../../src/gpu/tiling.ts';
import { MOST_EVIDENCE } from '../../src/model/fusion.ts';
import { fusion } from '../../src/reference/fusion.ts';
import { layerNorm } from '../../src/reference/layernorm.ts';
import { expectClose } from '../../src/testing/close.ts';
import { fusionShape, randomFusion } from '../../src/testing/networks.ts';
import { randomNumbers, seededRandom } from '../../src/testing/random.ts';
import { withDevice } from './device.ts';

const { width, epsilon, cells, features: numbers } = fusionShape;
const { words, pad, classes, count, pieces, vocabulary, units, places } = fusionShape;

test.each([
  ['all there is, on a GPU', { names: true, detector: true, map: true }, hardwareTiling],
  ['a detector alone', { names: false, detector: true, map: false }, hardwareTiling],
  ['a map alone', { names: false, detector: false, map: true }, softwareTiling],
  ['nothing, on a software adapter', { names: false, detector: false, map: false }, softwareTiling],
] as const)('a batch of images and a prompt, with %s', (_, has, tiling) =>
  withDevice(async (bench) => {
    const named = has.names;
    const network = randomFusion(1, has);
    const [batch, prompt] = [2, [5, 9, 17, 4]];
    const images = [3, 4].map((seed) => randomNumbers(seededRandom(seed), cells * numbers));
    const wanted = images.map((image) => fusion(network, fusionShape, image, prompt));
    const stride = numbers + (named ? classes : 0);
    const rows = cells + (named ? count * pieces : 0) + words;
    const wide = new Float32Array(batch * cells * stride);
    images.forEach((image, i) => {
      for (let cell = 0; cell < cells; cell++) {
        const row = image.subarray(cell * numbers, (cell + 1) * numbers);
        wide.set(row, (i * cells + cell) * stride);
      }
    });
    const head = (network.tags?.classifier.weight.length ?? 0) / classes;
    const sizes = {
      ...fusionShape,
      ffn: network.layers[0]?.up.bias.length ?? 0,
      tags: named ? { count, pieces, classes, head } : undefined,
      units: has.detector ? units : 0,
      places: has.map ? places : 0,
    };
    const kernels = compileFusion(bench.device, sizes, tiling);
    const onGpu = await prepareFusion(bench.buffers, network, sizes, tiling, kernels);
    const seen = seenBuffers(onGpu, bench.buffers, batch);
    const memory = bench.output(batch * rows * width);
    const length = rows - words + prompt.length;
    const buffers = {
      prompt: bench.upload(Uint32Array.of(...prompt, pad, pad)),
      lengths: bench.upload(new Uint32Array(batch).fill(length)),
      memory,
    };
    const steps = [
      ...seenSteps(onGpu, bench.buffers, bench.upload(wide), seen, batch),
      ...fusionSteps(onGpu, bench.buffers, seen, buffers, batch),
    ];
    const looking = 1 + (named ? 2 : 0) + (has.detector ? 3 : 0);
    expect(steps).toHaveLength(looking + 5 * network.layers.length + 1);
    const unnormed = await bench.floats(steps, memory, batch * rows * width);
    const got = layerNorm(unnormed, { ...network.norm, epsilon });
    wanted.forEach((of, i) => {
      const at = i * rows * width;
      expectClose(got.subarray(at, at + length * width), of.memory, 1e-4);
    });
    expect(seen.evidence !== undefined).toBe(has.detector);
    if (seen.evidence) {
      const said = await bench.floats([], seen.evidence, batch * vocabulary);
      wanted.forEach(({ evidence = [] }, i) => {
        expectClose(said.subarray(i * vocabulary, (i + 1) * vocabulary), evidence, 1e-4);
        // Some of it is cut off, and some is not.
        const cut = evidence.filter((nats) => Math.abs(nats) === MOST_EVIDENCE).length;
        expect(cut).toBeGreaterThan(0);
        expect(cut).toBeLessThan(vocabulary);
      });
    }
    const mapped = bench.output(batch * cells);
    const mapping = placesSteps(
      onGpu,
      bench.buffers,
      seen,
      { prompt: buffers.prompt, places: mapped },
      batch,
    );
    expect(mapping).toHaveLength(has.map ? 2 : 0);
    if (has.map) {
      const said = await bench.floats(mapping, mapped, batch * cells);
      wanted.forEach((of, i) => {
        expectClose(said.subarray(i * cells, (i + 1) * cells), of.places ?? [], 1e-4);
      });
    }
    if (!named) return;
    const told = await bench.run([], seen.told, 2 * batch * count);
    wanted.forEach((of, i) => {
      const read = readTold(numbersOf(told, 8 * i * count, 2 * count));
      expect(read.map(({ id }) => id)).toEqual(of.told.map(({ id }) => id));
      expectClose(
        read.map(({ likely }) => likely),
        of.told.map(({ likely }) => likely),
      );
    });
  }),
);
