/** What a thousand candidates cost beside the pass that they are scored on, interleaved. */
import { expect, test } from 'vitest';
import { GpuDecoder } from '../../src/gpu/decoder.ts';
import type { DecodeRequest, DecoderShape } from '../../src/model/decoder.ts';
import { randomNumbers, randomWeights, seededRandom } from '../../src/testing/random.ts';
import { withDevice } from './device.ts';

/** The shipped model's sizes. */
const shape: DecoderShape = {
  ...{ width: 256, heads: 8, layers: 4, ffn: 1024, vocabulary: 5000, queries: 44, memory: 88 },
  ...{ blank: 0, eos: 2, epsilon: 1e-5 },
};
const RUNS = 7;

const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

test.each([
  ['12 slots that answer, texts of 1 to 4 words', 32, 12, 4],
  ['32 slots that caption, texts of 1 to 14 words', 0, 32, 14],
])('scoring 1,000 texts takes no longer than two passes: %s', (name, first, count, longest) =>
  withDevice(async ({ device }) => {
    const decoder = await GpuDecoder.create(device, shape, randomWeights(shape, 1));
    const random = seededRandom(2);
    const memory = randomNumbers(random, shape.memory * shape.width);
    device.queue.writeBuffer(decoder.memoryBuffer(1), 0, memory);
    const candidates = Array.from({ length: 1000 }, (_, i) =>
      Array.from({ length: 1 + (i % longest) }, () => 4 + Math.floor(random() * 4996)),
    );
    const plain: DecodeRequest = { memoryLengths: [72], queries: { first, count } };
    const time = async (request: DecodeRequest) => {
      const start = performance.now();
      await decoder.decode(request);
      return performance.now() - start;
    };
    const [passes, scored]: [number[], number[]] = [[], []];
    await time(plain);
    await time({ ...plain, candidates });
    for (let run = 0; run < RUNS; run++) {
      passes.push(await time(plain));
      scored.push(await time({ ...plain, candidates }));
    }
    decoder.dispose();
    const [pass, both] = [median(passes), median(scored)];
    console.log(
      `${name}: pass ${pass.toFixed(0)} ms, with scores ${both.toFixed(0)} ms, ` +
        `scores alone ${((both - pass) / pass).toFixed(2)} passes`,
    );
    expect(both - pass).toBeLessThanOrEqual(2 * pass);
  }),
);
