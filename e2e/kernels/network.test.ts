/** The whole network in one submit against the whole reference: captions, a batch, and looks that are kept. */
import { expect, test, vi } from 'vitest';
import { GpuDecoder } from '../../src/gpu/decoder.ts';
import { requestGpu } from '../../src/gpu/device.ts';
import {
  compileNetwork,
  GpuNetwork,
  type NetworkManifest,
  prepareNetwork,
} from '../../src/gpu/network.ts';
import { tilingFor } from '../../src/gpu/tiling.ts';
import type { DecoderShape } from '../../src/model/decoder.ts';
import type { RgbaPixels } from '../../src/model/image.ts';
import { shapeOf } from '../../src/model/network-shape.ts';
import { ReferenceDecoder } from '../../src/reference/decoder.ts';
import { fusion } from '../../src/reference/fusion.ts';
import { patches, preprocess } from '../../src/reference/preprocess.ts';
import { vision } from '../../src/reference/vision.ts';
import { expectClose } from '../../src/testing/close.ts';
import { fusionShape, randomFusion, randomVision } from '../../src/testing/networks.ts';
import { randomWeights, seededRandom } from '../../src/testing/random.ts';
import { withDevice } from './device.ts';

const { width, heads, epsilon, cells, features, words, pad, ffn, vocabulary } = fusionShape;
const { count, pieces } = fusionShape;
const shape: DecoderShape = {
  ...{ width, heads, ffn, vocabulary, epsilon, layers: 2, queries: 8, blank: 0, eos: 2 },
  memory: cells + count * pieces + words,
  evidence: true,
};
const size = 24;
const manifest: NetworkManifest = {
  image: { size, mean: [0.5, 0.4, 0.6], std: [0.5, 0.3, 0.4], fit: 'squash' },
  features: { rows: cells, width: features },
  prompt: { length: words, pad },
  names: { count, length: pieces },
  decoder: shape,
};
const network = {
  vision: randomVision(1),
  fusion: randomFusion(2, { names: true, detector: true, map: true }),
};
const weights = randomWeights(shape, 3);
const reference = new ReferenceDecoder(shape, weights);
const queries = { first: 2, count: 5 };

function randomImage(seed: number): RgbaPixels {
  const random = seededRandom(seed);
  const [width, height] = [20 + seed, 31];
  const data = Uint8Array.from({ length: width * height * 4 }, () => random() * 256);
  return { data, width, height };
}

/** What each slot says, and the names, in plain TypeScript. */
function wanted({ data, width: across, height }: RgbaPixels, prompt: readonly number[]) {
  const pixels = preprocess(data, across, height, manifest.image);
  const seen = vision(network.vision, patches(pixels, size));
  const { memory, told, evidence, places } = fusion(network.fusion, fusionShape, seen, prompt);
  const padded = new Float32Array(shape.memory * width);
  padded.set(memory);
  const memoryLengths = [shape.memory - words + prompt.length];
  const [decoding] = reference.decode(padded, { memoryLengths, queries }, evidence);
  const slots = decoding?.slots ?? [];
  return { tokens: slots.map(({ token }) => token), slots, told, places };
}

async function open(device: GPUDevice, has = network) {
  const tiling = tilingFor(device);
  const { norm } = has.fusion;
  const decoder = await GpuDecoder.create(device, shape, weights, tiling, norm);
  const prepared = await prepareNetwork(device, manifest, has, tiling);
  return { net: new GpuNetwork(prepared, decoder), decoder };
}

const ask = (prompt: readonly number[], places = false) => ({
  ids: Int32Array.from({ length: words }, (_, i) => prompt[i] ?? pad),
  used: prompt.length,
  places,
});

test('captions, a batch and looks say what the reference says', () =>
  withDevice(async ({ device }) => {
    const { net, decoder } = await open(device);
    const check = async (
      sight: Awaited<ReturnType<GpuNetwork['see']>>,
      images: readonly RgbaPixels[],
      prompt: readonly number[],
    ) => {
      const { decodings, names, cost } = await net.write(sight, ask(prompt), { queries });
      images.forEach((image, i) => {
        const { tokens, slots, told } = wanted(image, prompt);
        const got = decodings[i]?.slots ?? [];
        expect(got.map(({ token }) => token)).toEqual(tokens);
        expectClose(
          got.map(({ logProb }) => logProb),
          slots.map(({ logProb }) => logProb),
          1e-3,
        );
        expectClose(
          names[i]?.map(({ likely }) => likely) ?? [],
          told.map(({ likely }) => likely),
        );
        expect(names[i]?.map(({ tokens }) => tokens)).toEqual(
          told.map(({ id }) => {
            const name = network.fusion.tags?.names.subarray(id * pieces, (id + 1) * pieces) ?? [];
            return [...name].filter((token) => token !== pad);
          }),
        );
      });
      return cost;
    };
    const [a, b] = [randomImage(1), randomImage(2)];
    const cost = await check(await net.see([a]), [a], [5, 9, 17]);
    expect(cost.submits).toBe(1);
    expect(cost.bytesRead).toBe(4 * (1 + 4 * queries.count) + 8 * count);
    await check(await net.see([b, a]), [b, a], [8]);

    // What a kept look saves: pixels, stem, blocks, head and finer scale, and for what is seen three, and
    // three for the words of it.
    const blocks = network.vision.blocks.reduce((sum, { expand }) => sum + (expand ? 3 : 2), 0);
    const looking = 1 + 1 + blocks + 2 + 3 + 3;
    // Behind it five a layer of fusion and eight of the decoder, four fewer in its first, and five around.
    const layers = 5 * network.fusion.layers.length + 8 * shape.layers - 4;
    expect(cost.dispatches).toBe(blocks + layers + 15);
    expect(cost.dispatches).toBe(looking + layers + 5);

    // Two that are kept, asked in turns, with a caption of another between.
    const looks = [await net.see([a])];
    await looks[0]?.keep();
    looks.push(await net.see([b]));
    await looks[1]?.keep();
    for (const prompt of [[4, 30], [44]]) {
      const asked = await check(looks[0]!, [a], prompt);
      await check(await net.see([b]), [b], [7]);
      await check(looks[1]!, [b], prompt);
      expect(cost.dispatches - asked.dispatches).toBe(looking);
    }
    for (const look of looks) look.dispose();
    net.dispose();
    decoder.dispose();
  }));

test('who asks for the phrase map gets it in the same submit, and who does not pays nothing for it', () =>
  withDevice(async ({ device }) => {
    const { net, decoder } = await open(device);
    const [a, b] = [randomImage(1), randomImage(2)];
    const prompt = [5, 9, 17, 9];
    const wants = [
      { queries },
      { queries, posteriors: true, attention: true },
      { queries, tokens: [20, 21, 22] },
      { queries, candidates: [[20, 21], [22]] },
    ];
    const look = await net.see([a]);
    await look.keep();
    for (const images of [[a], [b, a], undefined]) {
      const sight = async () => (images ? net.see(images) : look);
      const seen = images ?? [a];
      for (const want of wants) {
        const plain = await net.write(await sight(), ask(prompt), want);
        const { cost, places, decodings, names } = await net.write(
          await sight(),
          ask(prompt, true),
          want,
        );
        expect(plain.places).toBeUndefined();
        expect(places).toHaveLength(seen.length);
        seen.forEach((image, i) => {
          expectClose(places?.[i] ?? [], wanted(image, prompt).places ?? [], 1e-4);
        });
        expect({ decodings, names }).toEqual({ decodings: plain.decodings, names: plain.names });
        expect(cost).toEqual({
          dispatches: plain.cost.dispatches + 2,
          submits: 1,
          bytesRead: plain.cost.bytesRead + 4 * cells * seen.length,
        });
      }
    }
    look.dispose();
    net.dispose();
    decoder.dispose();
  }));

test('of a network without a phrase map there is none to be had', () =>
  withDevice(async ({ device }) => {
    const fusion = { ...network.fusion, phraseMap: undefined };
    const { net, decoder } = await open(device, { ...network, fusion });
    const [image, prompt] = [randomImage(1), [5, 9]];
    const costs = [];
    for (const places of [false, true]) {
      const result = await net.write(await net.see([image]), ask(prompt, places), { queries });
      expect(result.places).toBeUndefined();
      costs.push(result.cost);
    }
    expect(costs[1]).toEqual(costs[0]);
    net.dispose();
    decoder.dispose();
  }));

test('a decoder whose memory must come normed is refused', () =>
  withDevice(async ({ device }) => {
    const tiling = tilingFor(device);
    const decoder = await GpuDecoder.create(device, shape, weights, tiling);
    const prepared = await prepareNetwork(device, manifest, network, tiling);
    expect(() => new GpuNetwork(prepared, decoder)).toThrow(/folds in the memory's norm/);
    prepared.buffers.destroy();
    decoder.dispose();
  }));

test('kernels that were compiled before the weights were there are used if they fit', () =>
  withDevice(async ({ device }) => {
    const tiling = tilingFor(device);
    const promised = shapeOf(network);
    const other = { ...promised, fusion: { ...promised.fusion, ffn: promised.fusion.ffn + 4 } };
    const compiled: number[] = [];
    for (const shape of [promised, other]) {
      const ahead = compileNetwork(device, manifest, shape, tiling);
      await Promise.all([ahead.vision, ahead.fusion]);
      const compile = vi.spyOn(device, 'createComputePipelineAsync');
      const prepared = await prepareNetwork(device, manifest, network, tiling, ahead);
      compiled.push(compile.mock.calls.length);
      compile.mockRestore();
      expect(prepared.fusion.shape.ffn).toBe(promised.fusion.ffn);
      prepared.preprocessor.dispose();
      prepared.buffers.destroy();
    }
    // The preprocessor's alone, and all of them.
    expect(compiled[0]).toBe(1);
    expect(compiled[1]).toBeGreaterThan(10);
  }));

test('a device that is lost under way says so, and another one works', async () => {
  const lose = async (device: GPUDevice) => {
    const { net } = await open(device);
    const caption = async () => net.write(await net.see([randomImage(3)]), ask([5]), { queries });
    await caption();
    const sight = await net.see([randomImage(3)]);
    const underWay = net.write(sight, ask([5]), { queries });
    device.destroy();
    await expect(underWay).rejects.toMatchObject({ code: 'device-lost' });
    await expect(caption()).rejects.toMatchObject({ code: 'device-lost' });
  };
  for (let i = 0; i < 2; i++) await lose((await requestGpu(navigator.gpu)).device);
});
