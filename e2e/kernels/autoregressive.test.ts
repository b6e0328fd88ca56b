/** The bench's autoregressive opponent against its reference: an opponent that is wrong proves nothing. */
import { expect, test } from 'vitest';
import { AutoregressiveDecoder } from '../../bench/autoregressive/decoder.ts';
import { write } from '../../bench/autoregressive/reference.ts';
import type { DecoderShape } from '../../src/model/decoder.ts';
import { randomNumbers, randomWeights, seededRandom } from '../../src/testing/random.ts';
import { withDevice } from './device.ts';

const shape: DecoderShape = {
  ...{ width: 64, heads: 4, layers: 2, ffn: 100, vocabulary: 301, queries: 12, memory: 19 },
  ...{ blank: 0, eos: 2, epsilon: 1e-5 },
};
const weights = randomWeights(shape, 3);

test.each([
  { beams: 1, lengths: [19] },
  { beams: 1, lengths: [19, 7, 1] },
  { beams: 5, lengths: [13] },
  { beams: 3, lengths: [4, 19] },
])('$beams beams, memories of $lengths rows', ({ beams, lengths }) =>
  withDevice(async ({ device }) => {
    const batch = lengths.length;
    const writing = { batch, beams, words: 9 };
    const decoder = await AutoregressiveDecoder.create(device, shape, weights, writing);
    const memory = randomNumbers(seededRandom(beams), batch * shape.memory * shape.width, 2);
    device.queue.writeBuffer(decoder.memory, 0, memory);
    const wanted = lengths.map((length, image) => {
      const start = image * shape.memory * shape.width;
      const rows = memory.subarray(start, start + length * shape.width);
      return write(shape, weights, rows, writing).words;
    });
    const once = await decoder.decode(lengths, 9, 'end');
    expect(once.texts).toEqual(wanted);
    expect(once.cost).toMatchObject({ submits: 1 });
    const each = await decoder.decode(lengths, 9, 'word');
    expect(each.texts).toEqual(wanted);
    expect(each.cost).toEqual({ ...once.cost, submits: 9 });
    const short = await decoder.decode(lengths, 4, 'end');
    // Fewer words may be another text than the longer one's start, but not of one beam.
    if (beams === 1) expect(short.texts).toEqual(wanted.map((words) => words.slice(0, 4)));
    decoder.dispose();
  }),
);

test('a text that has ended goes on as it is', () =>
  withDevice(async ({ device }) => {
    const ending = new Map(weights);
    const bias = new Float32Array(shape.vocabulary);
    bias[shape.eos] = 3;
    ending.set('head.bias', { shape: [shape.vocabulary], data: bias });
    const writing = { batch: 1, beams: 4, words: 8 };
    const decoder = await AutoregressiveDecoder.create(device, shape, ending, writing);
    const memory = randomNumbers(seededRandom(5), shape.memory * shape.width, 2);
    device.queue.writeBuffer(decoder.memory, 0, memory);
    const { words, ended } = write(shape, ending, memory, writing);
    expect(ended).toBe(true);
    expect((await decoder.decode([shape.memory], 8, 'end')).texts).toEqual([words]);
    decoder.dispose();
  }));
