/** vocabulary.wgsl and topk_merge.wgsl against the reference's logits and posteriors. */
import { expect, test } from 'vitest';
import { readPosteriors } from '../../src/gpu/collapse.ts';
import { foldNorm, padOutputs } from '../../src/gpu/fold.ts';
import { VocabularyKernel } from '../../src/gpu/vocabulary.ts';
import type { Posteriors, Weight } from '../../src/model/decoder.ts';
import { linear, packLinear } from '../../src/reference/linear.ts';
import { posteriors } from '../../src/reference/posterior.ts';
import { expectClose } from '../../src/testing/close.ts';
import { randomMatrix, randomNumbers, seededRandom } from '../../src/testing/random.ts';
import { type Bench, withDevice } from './device.ts';

interface Case {
  rows: number;
  inputs: number;
  vocabulary: number;
  k: number;
  lanes: number;
  tileColumns: number;
  /** Changes the random weights first. */
  edit?: (weight: Weight, bias: Float32Array) => void;
}

/** What the kernels and the reference say of the same random rows. */
async function both(bench: Bench, c: Case): Promise<{ got: Posteriors; wanted: Posteriors }> {
  const { rows, inputs, vocabulary, k, lanes, tileColumns } = c;
  const random = seededRandom(rows * vocabulary);
  const x = randomNumbers(random, rows * inputs);
  const weight = randomMatrix(random, inputs, vocabulary);
  const bias = randomNumbers(random, vocabulary);
  c.edit?.(weight, bias);
  const gain = randomNumbers(random, inputs).map((value) => 1 + value / 2);
  const normBias = randomNumbers(random, inputs);
  const norm = { gain, bias: normBias, epsilon: 1e-5 };

  const packed = packLinear(weight, { shape: [vocabulary], data: bias });
  const logits = linear(x, packed, { norm });
  const wanted = posteriors(logits, vocabulary, k);

  const weights = padOutputs(foldNorm({ weight: weight.data, bias }, norm));
  const options = { inputs, vocabulary, normEpsilon: 1e-5, k, lanes, tileColumns };
  const kernel = await VocabularyKernel.compile(bench.device, options);
  const output = bench.output(rows * k * 2);
  const buffers = {
    x: bench.upload(x),
    weight: bench.upload(weights.weight),
    bias: bench.upload(weights.bias),
    posteriors: output,
  };
  const steps = kernel.steps(bench.buffers, buffers, rows);
  const bytes = await bench.run(steps, output, rows * k * 2);
  const got = readPosteriors(new Uint32Array(bytes), new Float32Array(bytes), 0, rows, k);
  return { got, wanted };
}

test.each([
  { rows: 1, inputs: 8, vocabulary: 5, k: 5, lanes: 64, tileColumns: 256 },
  { rows: 3, inputs: 20, vocabulary: 258, k: 8, lanes: 64, tileColumns: 256 },
  { rows: 6, inputs: 64, vocabulary: 1001, k: 8, lanes: 64, tileColumns: 256 },
  { rows: 5, inputs: 64, vocabulary: 1999, k: 8, lanes: 64, tileColumns: 768 },
  { rows: 2, inputs: 12, vocabulary: 512, k: 1, lanes: 32, tileColumns: 384 },
])('$rows rows over $vocabulary tokens, $k of each', (c) =>
  withDevice(async (bench) => {
    const { got, wanted } = await both(bench, c);
    expectClose(got.logProbs, wanted.logProbs, 1e-5);
    expect([...got.tokens]).toEqual([...wanted.tokens]);
  }),
);

test('ties go to the lower token, within a tile and across tiles', () =>
  withDevice(async (bench) => {
    const twins = [700, 3, 299, 300, 2, 515];
    const { got, wanted } = await both(bench, {
      rows: 5,
      inputs: 16,
      vocabulary: 900,
      k: 8,
      lanes: 64,
      tileColumns: 256,
      edit: ({ data }, bias) => {
        for (const token of twins) {
          for (let k = 0; k < 16; k++) data[k * 900 + token] = data[k * 900 + 2]!;
          bias[token] = 30;
        }
      },
    });
    for (let row = 0; row < 5; row++) {
      expect([...got.tokens.subarray(row * 8, row * 8 + 6)]).toEqual([2, 3, 299, 300, 515, 700]);
    }
    expect([...got.tokens]).toEqual([...wanted.tokens]);
    expectClose(got.logProbs, wanted.logProbs, 1e-5);
  }));

test('logits so large that exp alone would overflow', () =>
  withDevice(async (bench) => {
    const { got, wanted } = await both(bench, {
      rows: 2,
      inputs: 8,
      vocabulary: 300,
      k: 4,
      lanes: 64,
      tileColumns: 256,
      edit: (_, bias) => bias.set(bias.map((value) => value * 200 + 300)),
    });
    expectClose(got.logProbs, wanted.logProbs, 1e-4);
    expect([...got.tokens]).toEqual([...wanted.tokens]);
  }));
