/** phrase_map.wgsl alone and behind its product, against what it is to compute, written out. */
import { expect, test } from 'vitest';
import { foldNorm } from '../../src/gpu/fold.ts';
import { LinearKernel } from '../../src/gpu/linear.ts';
import { packWeights } from '../../src/gpu/pack.ts';
import { PhraseMapKernel } from '../../src/gpu/phrase-map.ts';
import { hardwareTiling, softwareTiling, type Tiling } from '../../src/gpu/tiling.ts';
import { expectClose } from '../../src/testing/close.ts';
import { randomMatrix, randomNumbers, seededRandom } from '../../src/testing/random.ts';
import { type Bench, withDevice } from './device.ts';

/** Of the size that models have: more units than lanes, and cells that are no multiple of them. */
const [cells, units, words, vocabulary, width] = [49, 128, 12, 60, 32];
const [pad, epsilon] = [3, 1e-5];
const random = seededRandom(1);
const table = randomNumbers(random, vocabulary * units, 0.3);
table.fill(0, pad * units, (pad + 1) * units);
const prior = randomNumbers(random, cells, 2);
// One word twice, which counts twice.
const prompt = [5, 9, 17, 9, 59, 0, ...new Array<number>(words - 6).fill(pad)];
const inside = {
  weight: randomMatrix(random, width, units).data,
  bias: randomNumbers(random, units),
};

const tilings = [
  ['a GPU', hardwareTiling],
  ['a software adapter', softwareTiling],
] as const;
const batches = tilings.flatMap(([name, tiling]) =>
  [1, 3].map((batch) => [name, batch, tiling] as const),
);

/** Log odds of each cell of a batch, from [batch · cells, units] numbers. */
function places(of: Float32Array): number[] {
  return Array.from({ length: of.length / units }, (_, row) => {
    const cell = of.subarray(row * units, (row + 1) * units);
    const said = prompt.map((token) =>
      cell.reduce((sum, x, i) => sum + x * table[token * units + i]!, 0),
    );
    return prior[row % cells]! + said.reduce((sum, x) => sum + x, 0);
  });
}

/** gelu(LN(row)·inside + bias) of each row of width numbers. */
function unitsOf(rows: Float32Array): Float32Array {
  return Float32Array.from(
    Array.from({ length: rows.length / width }, (_, r) => {
      const row = [...rows.subarray(r * width, (r + 1) * width)];
      const mean = row.reduce((sum, x) => sum + x, 0) / width;
      const variance = row.reduce((sum, x) => sum + (x - mean) ** 2, 0) / width;
      const normed = row.map((x) => (x - mean) / Math.sqrt(variance + epsilon));
      return Array.from({ length: units }, (_, j) => {
        const x = normed.reduce((sum, n, i) => sum + n * inside.weight[i * units + j]!, 0);
        const z = x + inside.bias[j]!;
        return 0.5 * z * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (z + 0.044715 * z ** 3)));
      });
    }).flat(),
  );
}

/** The kernel's dispatch from these units, and where it writes. */
async function mapped(bench: Bench, of: GPUBuffer, batch: number, tiling: Tiling) {
  const kernel = await PhraseMapKernel.compile(bench.device, { cells, units, words }, tiling);
  const output = bench.output(batch * cells);
  const buffers = {
    units: of,
    prompt: bench.upload(Uint32Array.from(prompt)),
    table: bench.upload(table),
    prior: bench.upload(prior),
    places: output,
  };
  return { step: kernel.step(bench.buffers, buffers, batch), output };
}

test.each(batches)('log odds of every cell, cut for %s, of %i images', (_, batch, tiling) =>
  withDevice(async (bench) => {
    const of = randomNumbers(seededRandom(2), batch * cells * units);
    const { step, output } = await mapped(bench, bench.upload(of), batch, tiling);
    expectClose(await bench.floats([step], output, batch * cells), places(of), 1e-5);
    // The table's rows are added up for each image, and read once.
    expect(step.work).toEqual({
      operations: batch * (words * units + 2 * cells * units),
      numbers: words + words * units + cells + batch * (cells * units + cells),
    });
  }),
);

test.each(batches)(
  'from cells on, in two dispatches, cut for %s, of %i images',
  (_, batch, tiling) =>
    withDevice(async (bench) => {
      const options = { inputs: width, outputs: units, normEpsilon: epsilon, gelu: true };
      const linear = await LinearKernel.compile(bench.device, options, tiling);
      const plain = { gain: new Float32Array(width).fill(1), bias: new Float32Array(width) };
      const { weight, bias } = await packWeights(foldNorm(inside, plain), tiling.weightBits);
      // Rows of a mean that is not 0, which the norm takes out.
      const rows = randomNumbers(seededRandom(3), batch * cells * width).map((x) => x + 2);
      const y = bench.output(batch * cells * units);
      const weights = { weight: bench.upload(weight), bias: bench.upload(bias) };
      const buffers = { ...weights, x: bench.upload(rows), y };
      const product = linear.step(bench.buffers, buffers, batch * cells);
      const { step, output } = await mapped(bench, y, batch, tiling);
      const got = await bench.floats([product, step], output, batch * cells);
      expectClose(got, places(unitsOf(rows)), 1e-4);
    }),
);
