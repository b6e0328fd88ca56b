/** The bench's ONNX graph against the reference: an opponent that is wrong proves nothing. */
import { expect, test } from 'vitest';
import { memoryOf, onnxInWasm, onnxOnGpu } from '../../bench/contenders.ts';
import type { Size } from '../../bench/sizes.ts';
import type { DecoderShape } from '../../src/model/decoder.ts';
import { ReferenceDecoder } from '../../src/reference/decoder.ts';
import { randomWeights } from '../../src/testing/random.ts';
import { withDevice } from './device.ts';

const shape: DecoderShape = {
  ...{ width: 64, heads: 4, layers: 2, ffn: 128, vocabulary: 304, queries: 12, memory: 20 },
  ...{ blank: 0, eos: 2, epsilon: 1e-5 },
};
const size: Size = {
  ...{ name: 'small', shape, weights: randomWeights(shape, 4) },
  ...{ captionSlots: 12, answerSlots: 0 },
};

test('every slot has the same likeliest token in onnxruntime', () =>
  withDevice(async ({ device }) => {
    const queries = { first: 0, count: 12 };
    const reference = new ReferenceDecoder(shape, size.weights);
    const [decoding] = reference.decode(memoryOf(size, 1), { memoryLengths: [20], queries });
    const wanted = decoding?.slots.map(({ token }) => token);
    const contenders = [
      await onnxInWasm('wasm', size),
      await onnxOnGpu('gpu', device, size, false),
      await onnxOnGpu('captured', device, size, true),
    ];
    // In turns, as the bench runs them.
    for (const contender of [...contenders, ...contenders, ...contenders]) {
      expect(await contender.run()).toEqual(wanted);
    }
    for (const contender of contenders) await contender.dispose?.();
  }));
