/** transformers.js on the bench's ONNX graph against the reference: an opponent that is wrong proves nothing. */
import { expect, test } from 'vitest';
import { write } from '../../bench/autoregressive/reference.ts';
import type { Size } from '../../bench/sizes.ts';
import {
  transformersFiles,
  transformersInWasm,
  transformersOnGpu,
} from '../../bench/transformers.ts';
import type { DecoderShape, DecoderWeights, Weight } from '../../src/model/decoder.ts';
import { randomNumbers, randomWeights, seededRandom } from '../../src/testing/random.ts';
import { withDevice } from './device.ts';

const shape: DecoderShape = {
  ...{ width: 64, heads: 4, layers: 3, ffn: 128, vocabulary: 304, queries: 12, memory: 20 },
  ...{ blank: 0, eos: 2, epsilon: 1e-5 },
};
const size: Size = {
  ...{ name: 'small', shape, weights: talkative(randomWeights(shape, 8)) },
  ...{ captions: { first: 0, count: 12 }, answers: undefined, search: undefined },
};

/** With words so small that a text is more than its first one again and again. */
function talkative(weights: DecoderWeights): DecoderWeights {
  const small = (name: string) => {
    const { shape, data } = weights.get(name) as Weight;
    return [name, { shape, data: data.map((number) => number / 40) }] as const;
  };
  return new Map([...weights, small('head.weight'), small('head.bias')]);
}

test('transformers.js writes the same words, on the GPU and in WebAssembly', () =>
  withDevice(async ({ device }) => {
    const words = 10;
    const files = transformersFiles(size);
    const wasm = await transformersInWasm('wasm', size, files, words);
    const gpu = await transformersOnGpu('gpu', device, size, files, words);
    // In turns, as the bench runs them, each after another memory's text.
    for (const seed of [1, 2, 3]) {
      const memory = randomNumbers(seededRandom(seed), shape.memory * shape.width, 2);
      const wanted = write(shape, size.weights, memory, { beams: 1, words }).words;
      // A text of one word would hide that a cache is read at the wrong place.
      expect(new Set(wanted).size).toBeGreaterThan(3);
      wasm.memory.set(memory);
      expect(await wasm.run()).toEqual(wanted);
      device.queue.writeBuffer(gpu.memory, 0, memory);
      expect(await gpu.run()).toEqual(wanted);
    }
    for (const contender of [wasm, gpu]) await contender.dispose?.();
  }));
