/** linear.wgsl against reference/linear.ts, over shapes that fit no tile. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { foldNorm } from '../../src/gpu/fold.ts';
import { LinearKernel } from '../../src/gpu/linear.ts';
import { packWeights } from '../../src/gpu/pack.ts';
import { hardwareTiling, softwareTiling } from '../../src/gpu/tiling.ts';
import type { WeightBits } from '../../src/model/decoder.ts';
import { linear, packLinear } from '../../src/reference/linear.ts';
import { expectClose } from '../../src/testing/close.ts';
import { randomMatrix, randomNumbers, seededRandom } from '../../src/testing/random.ts';
import { rounded, shifted } from '../../src/testing/rounding.ts';
import { type Bench, poison, withDevice } from './device.ts';

interface Case {
  seed: number;
  rows: number;
  inputs: number;
  outputs: number;
  normalize?: boolean;
  gelu?: boolean;
  relu6?: boolean;
  /** Rows of the residual; 0 for none. */
  residualRows?: number;
  software?: boolean;
  tileRows?: 1 | 4;
  rowLanes?: number;
  /** Numbers of a row of x, and of y, that are not the product's. */
  xMargin?: number;
  yMargin?: number;
  weightBits?: WeightBits;
  /** Added to all of x. */
  mean?: number;
}

/** Rows with as many numbers more behind each, which no product may read. */
function widened(x: Float32Array, width: number, margin: number): Float32Array {
  const rows = x.length / width;
  const wide = new Float32Array(rows * (width + margin)).fill(Number.NaN);
  for (let row = 0; row < rows; row++) {
    wide.set(x.subarray(row * width, (row + 1) * width), row * (width + margin));
  }
  return wide;
}

async function check(bench: Bench, c: Case): Promise<void> {
  const { rows, inputs, outputs, normalize = false, gelu = false, residualRows = 0 } = c;
  const { relu6 = false, rowLanes = 1, xMargin = 0, yMargin = 0 } = c;
  const random = seededRandom(c.seed);
  const x = randomNumbers(random, rows * inputs).map((value) => value + (c.mean ?? 0));
  const weight = randomMatrix(random, inputs, outputs);
  const bias = { shape: [outputs], data: randomNumbers(random, outputs) };
  const gain = randomNumbers(random, inputs).map((value) => 1 + value / 2);
  const normBias = randomNumbers(random, inputs);
  const residual = residualRows > 0 ? randomNumbers(random, residualRows * outputs) : undefined;

  const { weightBits = 32 } = c;
  const plain = { weight: weight.data, bias: bias.data };
  const folded = normalize ? foldNorm(plain, { gain, bias: normBias }) : plain;
  const weights = packWeights(folded, weightBits);

  const options = {
    gelu,
    relu6,
    ...(residual
      ? {
          residual: Float32Array.from(
            { length: rows * outputs },
            (_, i) => residual[i % residual.length]!,
          ),
        }
      : {}),
  };
  const norm = { gain, bias: normBias, epsilon: 1e-5 };
  const left = rounded(folded, weightBits);
  const wanted =
    weightBits === 32
      ? linear(x, packLinear(weight, bias), { ...options, ...(normalize ? { norm } : {}) })
      : linear(
          normalize ? shifted(x, inputs, norm.epsilon) : x,
          packLinear(
            { shape: [inputs, outputs], data: left.weight },
            { shape: [outputs], data: left.bias },
          ),
          options,
        );
  const usual = c.software ? softwareTiling : hardwareTiling;
  // As many lanes as ever: across rows in place of columns.
  const tiling = { ...usual, rowLanes, columnLanes: usual.columnLanes / rowLanes };
  const kernel = await LinearKernel.compile(
    bench.device,
    {
      inputs,
      outputs,
      gelu,
      relu6,
      xStride: inputs + xMargin,
      yStride: outputs + yMargin,
      residual: residual !== undefined,
      ...(normalize ? { normEpsilon: 1e-5 } : {}),
    },
    { ...tiling, weightBits, tileRows: c.tileRows ?? 4 },
  );
  const tail = 16;
  const stride = outputs + yMargin;
  const y = bench.output(rows * stride + tail);
  const step = kernel.step(
    bench.buffers,
    {
      x: bench.upload(widened(x, inputs, xMargin)),
      weight: bench.upload(weights.weight),
      bias: bench.upload(weights.bias),
      ...(residual ? { residual: bench.upload(residual) } : {}),
      y,
    },
    rows,
    residualRows || rows,
  );
  const words = new Uint32Array(await bench.run([step], y, rows * stride + tail));
  const isIn = (at: number) => at < rows * stride && at % stride < outputs;
  expectClose(new Float32Array(words.filter((_, at) => isIn(at)).buffer), wanted, 2e-5);
  expect(words.every((word, at) => isIn(at) || word === poison)).toBe(true);
}

test('random shapes and options', () =>
  withDevice(async (bench) => {
    const cases = fc.record({
      seed: fc.nat(),
      rows: fc.integer({ min: 1, max: 19 }),
      inputs: fc.integer({ min: 1, max: 70 }).map((n) => 4 * n),
      outputs: fc.integer({ min: 1, max: 90 }).map((n) => 4 * n),
      normalize: fc.boolean(),
      activation: fc.constantFrom({}, { gelu: true }, { relu6: true }), // No product has both.
      rowLanes: fc.constantFrom(1, 4, 16),
      xMargin: fc.constantFrom(0, 8),
      yMargin: fc.constantFrom(0, 4),
      residualRows: fc.integer({ min: 0, max: 7 }),
      software: fc.boolean(),
      tileRows: fc.constantFrom(1 as const, 4 as const),
      weightBits: fc.constantFrom(32 as const, 16 as const, 8 as const),
    });
    await fc.assert(
      fc.asyncProperty(cases, ({ activation, ...c }) => check(bench, { ...c, ...activation })),
      { seed: 1, numRuns: 36 },
    );
  }));

test('as many inputs as a feed-forward layer has inside', () =>
  withDevice(async (bench) => {
    await check(bench, { seed: 2, rows: 5, inputs: 1024, outputs: 256, residualRows: 5 });
    await check(bench, { seed: 3, rows: 3, inputs: 3072, outputs: 132, software: true });
  }));

test('a norm over rows whose mean is a hundred times their deviation', () =>
  withDevice(async (bench) => {
    for (const software of [false, true]) {
      const c = { seed: 4, rows: 6, inputs: 256, outputs: 64, normalize: true };
      await check(bench, { ...c, software, mean: 60 });
    }
  }));

test('GELU far from zero, where tanh saturates', () =>
  withDevice(async (bench) => {
    await check(bench, { seed: 5, rows: 4, inputs: 64, outputs: 64, gelu: true, mean: 200 });
  }));
