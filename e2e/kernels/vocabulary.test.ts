/** vocabulary.wgsl and topk_merge.wgsl against the reference's logits and posteriors. */
import { expect, test } from 'vitest';
import { foldNorm, padOutputs } from '../../src/gpu/fold.ts';
import { packWeights } from '../../src/gpu/pack.ts';
import { numbersOf } from '../../src/gpu/results.ts';
import { VocabularyKernel } from '../../src/gpu/vocabulary.ts';
import type { Posteriors, Weight, WeightBits } from '../../src/model/decoder.ts';
import { linear, packLinear } from '../../src/reference/linear.ts';
import { posteriors } from '../../src/reference/posterior.ts';
import { expectClose } from '../../src/testing/close.ts';
import { randomMatrix, randomNumbers, seededRandom } from '../../src/testing/random.ts';
import { rounded, shifted } from '../../src/testing/rounding.ts';
import { type Bench, withDevice } from './device.ts';

interface Case {
  rows: number;
  inputs: number;
  vocabulary: number;
  k: number;
  tileRows?: 1 | 4;
  weightBits?: WeightBits;
  subgroups?: boolean;
  lanes: number;
  tileColumns: number;
  /** Changes the random weights first. */
  edit?: (weight: Weight, bias: Float32Array) => void;
}

/** What the kernels and the reference say of the same random rows. */
async function both(bench: Bench, c: Case): Promise<{ got: Posteriors; wanted: Posteriors }> {
  const { rows, inputs, vocabulary, k, tileRows = 4, weightBits = 32, lanes, tileColumns } = c;
  const { subgroups = false } = c;
  const random = seededRandom(rows * vocabulary);
  const x = randomNumbers(random, rows * inputs);
  const weight = randomMatrix(random, inputs, vocabulary);
  const bias = randomNumbers(random, vocabulary);
  c.edit?.(weight, bias);
  const gain = randomNumbers(random, inputs).map((value) => 1 + value / 2);
  const normBias = randomNumbers(random, inputs);
  const norm = { gain, bias: normBias, epsilon: 1e-5 };

  const folded = foldNorm({ weight: weight.data, bias }, norm);
  const logits =
    weightBits === 32
      ? linear(x, packLinear(weight, { shape: [vocabulary], data: bias }), { norm })
      : linear(
          shifted(x, inputs, norm.epsilon),
          packLinear(
            { shape: weight.shape, data: rounded(folded, weightBits).weight },
            { shape: [vocabulary], data: folded.bias },
          ),
        );
  const wanted = posteriors(logits, vocabulary, k);

  const weights = packWeights(padOutputs(folded), weightBits);
  const kernel = await VocabularyKernel.compile(
    bench.device,
    { inputs, vocabulary, normEpsilon: norm.epsilon, k },
    { tileRows, weightBits, productBits: 32, lanes, tileColumns, subgroups },
  );
  const output = bench.output(rows * k * 2);
  const buffers = {
    x: bench.upload(x),
    weight: bench.upload(weights.weight),
    bias: bench.upload(weights.bias),
    posteriors: output,
    logTotals: bench.output(rows),
  };
  const steps = kernel.steps(bench.buffers, buffers, rows);
  const bytes = await bench.run(steps, output, rows * k * 2);
  const { words, floats } = numbersOf(bytes);
  const got = {
    k,
    tokens: words.filter((_, i) => i % 2 === 0),
    logProbs: floats.filter((_, i) => i % 2 === 1),
  };
  return { got, wanted };
}

test.each([
  { rows: 1, inputs: 8, vocabulary: 5, k: 5, lanes: 64, tileColumns: 256 },
  { rows: 3, inputs: 20, vocabulary: 258, k: 8, lanes: 64, tileColumns: 256 },
  { rows: 6, inputs: 64, vocabulary: 1001, k: 8, lanes: 64, tileColumns: 256 },
  { rows: 5, inputs: 64, vocabulary: 1999, k: 8, lanes: 64, tileColumns: 768 },
  { rows: 2, inputs: 12, vocabulary: 512, k: 1, lanes: 32, tileColumns: 384 },
  {
    rows: 1,
    inputs: 64,
    vocabulary: 1001,
    k: 1,
    tileRows: 1 as const,
    lanes: 64,
    tileColumns: 256,
  },
  {
    rows: 3,
    inputs: 20,
    vocabulary: 1001,
    k: 5,
    tileRows: 1 as const,
    lanes: 32,
    tileColumns: 384,
  },
  {
    rows: 3,
    inputs: 64,
    vocabulary: 1001,
    k: 8,
    weightBits: 16 as const,
    lanes: 64,
    tileColumns: 256,
  },
  { rows: 6, inputs: 64, vocabulary: 1001, k: 8, subgroups: true, lanes: 64, tileColumns: 256 },
  { rows: 3, inputs: 12, vocabulary: 9, k: 8, subgroups: true, lanes: 4, tileColumns: 16 },
  {
    rows: 6,
    inputs: 64,
    vocabulary: 1001,
    k: 8,
    weightBits: 8 as const,
    lanes: 32,
    tileColumns: 384,
  },
])('$rows rows over $vocabulary tokens, $k of each', (c) =>
  withDevice(async (bench) => {
    const { got, wanted } = await both(bench, c);
    expectClose(got.logProbs, wanted.logProbs, 1e-5);
    expect([...got.tokens]).toEqual([...wanted.tokens]);
  }),
);

test('ties go to the lower token, within a tile and across tiles', () =>
  withDevice(async (bench) => {
    // More in the first tile than are kept of it, so that each kernel's order counts.
    const first = [200, 3, 17, 4, 250, 5, 66, 131, 2, 90];
    const twins = [...first, 700, 299, 300];
    const [rows, inputs, vocabulary, k] = [5, 16, 900, 8];
    const { got, wanted } = await both(bench, {
      rows,
      inputs,
      vocabulary,
      k,
      lanes: 64,
      tileColumns: 256,
      edit: ({ data }, bias) => {
        for (const token of twins) {
          for (let i = 0; i < inputs; i++) data[i * vocabulary + token] = data[i * vocabulary + 2]!;
          bias[token] = 30;
        }
      },
    });
    for (let row = 0; row < rows; row++) {
      const tokens = [...got.tokens.subarray(row * k, (row + 1) * k)];
      expect(tokens).toEqual([2, 3, 4, 5, 17, 66, 90, 131]);
    }
    expect([...got.tokens]).toEqual([...wanted.tokens]);
    expectClose(got.logProbs, wanted.logProbs, 1e-5);
  }));

test.each([false, true])(
  'of more ties than are kept, those across tiles go to the lower token too, subgroups: %s',
  (subgroups) =>
    withDevice(async (bench) => {
      const twins = [899, 256, 511, 3, 512, 600, 257];
      const { got } = await both(bench, {
        rows: 1,
        inputs: 4,
        vocabulary: 900,
        k: 4,
        subgroups,
        lanes: 32,
        tileColumns: 256,
        edit: ({ data }, bias) => {
          for (const token of twins) {
            for (let i = 0; i < 4; i++) data[i * 900 + token] = data[i * 900 + 3]!;
            bias[token] = 30;
          }
        },
      });
      expect([...got.tokens]).toEqual([3, 256, 257, 511]);
    }),
);

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
