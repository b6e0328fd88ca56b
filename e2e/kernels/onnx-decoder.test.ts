/** The bench's ONNX graph against the reference: an opponent that is wrong proves nothing. */
import { expect, test } from 'vitest';
import { memoryOf, onnxInWasm, onnxOnGpu } from '../../bench/contenders.ts';
import { onnxDecoder } from '../../bench/onnx/decoder.ts';
import type { Size } from '../../bench/sizes.ts';
import type { DecoderShape } from '../../src/model/decoder.ts';
import { ReferenceDecoder } from '../../src/reference/decoder.ts';
import { randomWeights } from '../../src/testing/random.ts';
import { withDevice } from './device.ts';

const shape: DecoderShape = {
  ...{ width: 64, heads: 4, layers: 4, ffn: 128, vocabulary: 304, queries: 12, memory: 20 },
  ...{ blank: 0, eos: 2, epsilon: 1e-5 },
};
const queries = { first: 0, count: 12 };
const size: Size = {
  ...{ name: 'small', shape, weights: randomWeights(shape, 4) },
  ...{ captions: queries, answers: undefined, search: undefined },
};

test('every slot has the same likeliest token in onnxruntime', () =>
  withDevice(async ({ device }) => {
    const reference = new ReferenceDecoder(shape, size.weights);
    const wanted = (memory: Float32Array) =>
      reference
        .decode(memory, { memoryLengths: [20], queries })[0]
        ?.slots.map(({ token }) => token);
    const graph = onnxDecoder(shape, size.weights, 12);
    const wasm = await onnxInWasm('wasm', size, graph);
    const onGpu = [
      await onnxOnGpu('gpu', device, size, graph, false),
      await onnxOnGpu('captured', device, size, graph, true),
    ];
    // In turns, as the bench runs them; from another memory, which no stale result fits.
    for (const memory of [memoryOf(size, 1), memoryOf(size, 1), memoryOf(size, 1).reverse()]) {
      wasm.memory.set(memory);
      expect(await wasm.run()).toEqual(wanted(memory));
      for (const contender of onGpu) {
        device.queue.writeBuffer(contender.memory, 0, memory);
        expect(await contender.run()).toEqual(wanted(memory));
      }
    }
    for (const contender of [wasm, ...onGpu]) await contender.dispose?.();
  }));
