/** The shipped model's vision and fusion against onnxruntime, which runs the same files. */
import { expect, test } from 'vitest';
import { Encoder } from '../../src/encoder/encoder.ts';
import { GpuDecoder } from '../../src/gpu/decoder.ts';
import { GpuNetwork, prepareNetwork } from '../../src/gpu/network.ts';
import { tilingFor } from '../../src/gpu/tiling.ts';
import { loadModelFiles } from '../../src/model/files.ts';
import { readNetwork } from '../../src/model/network.ts';
import { parseSafetensors } from '../../src/model/safetensors.ts';
import { layerNorm } from '../../src/reference/layernorm.ts';
import { preprocess } from '../../src/reference/preprocess.ts';
import { expectClose } from '../../src/testing/close.ts';
import { seededRandom } from '../../src/testing/random.ts';
import { withDevice } from './device.ts';

test('the same memory and names, and of a phrase map the same places', () =>
  withDevice(async (bench) => {
    const { device } = bench;
    const url = new URL('/models/narvl-photo/', location.href).href;
    const { manifest, files } = await loadModelFiles(url, () => {});
    const { 'vision.onnx': vision, 'fusion.onnx': fusion } = files;
    const { image, prompt, decoder: shape } = manifest;
    const network = readNetwork(manifest, vision, fusion);
    if (!network) throw new Error('expected the shipped network to be known');
    const random = seededRandom(1);
    const [width, height] = [90, 61];
    const data = Uint8Array.from({ length: width * height * 4 }, (_, i) =>
      i % 4 === 3 ? 255 : 96 * (Math.floor(i / 800) % 3) + 60 * random(),
    );
    const words = [50, 60, 70, 80, 90, 100];
    const ids = Int32Array.from({ length: prompt.length }, (_, i) => words[i] ?? prompt.pad);
    const length = shape.memory - prompt.length + words.length;

    const encoder = await Encoder.create(manifest, vision, fusion, 'wasm');
    const pixels = preprocess(data, width, height, image);
    const looked = await encoder.look(pixels, 1);
    const wanted = await encoder.fuse(looked, { ids, places: true });
    expect((await encoder.fuse(looked, { ids })).places).toBeUndefined();

    const weights = parseSafetensors(files['decoder.safetensors']);
    const tiling = tilingFor(device);
    const { norm } = network.fusion;
    const decoder = await GpuDecoder.create(device, shape, weights, tiling, norm);
    const prepared = await prepareNetwork(device, manifest, network, tiling);
    const net = new GpuNetwork(prepared, decoder);
    const sight = await net.see([{ data, width, height }]);
    const queries = { first: 0, count: 32 };
    const prompted = { ids, used: words.length, places: true };
    const { names, places } = await net.write(sight, prompted, { queries });
    expectClose(places?.[0] ?? [], wanted.places ?? [], 2e-3);
    const unnormed = await bench.floats([], decoder.memoryBuffer(1), length * shape.width);
    const memory = layerNorm(unnormed, { ...norm, epsilon: shape.epsilon });
    expectClose(memory, wanted.memory.subarray(0, length * shape.width), 2e-3);
    const [told] = wanted.names;
    expect(names[0]?.map(({ tokens }) => tokens)).toEqual(told?.map(({ tokens }) => tokens));
    expectClose(
      names[0]?.map(({ likely }) => likely) ?? [],
      told?.map(({ likely }) => likely) ?? [],
      1e-3,
    );
    net.dispose();
    decoder.dispose();
  }));
