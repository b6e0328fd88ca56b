/** token_log_probs.wgsl and ctc_score.wgsl against every path written out, and the reference. */
import { expect, test } from 'vitest';
import { ofTable } from '../../src/decode/emissions.ts';
import { textLogProb } from '../../src/decode/likelihood.ts';
import { foldNorm, padOutputs } from '../../src/gpu/fold.ts';
import { packWeights } from '../../src/gpu/pack.ts';
import { Results } from '../../src/gpu/results.ts';
import { readScored, ScoreKernel } from '../../src/gpu/score.ts';
import { hardwareTiling, softwareTiling, type Tiling } from '../../src/gpu/tiling.ts';
import type { DecoderShape, Posteriors, Scored, Slot } from '../../src/model/decoder.ts';
import { linear, packLinear } from '../../src/reference/linear.ts';
import { posteriors, tokenTable } from '../../src/reference/posterior.ts';
import { expectClose } from '../../src/testing/close.ts';
import { everyPath } from '../../src/testing/posteriors.ts';
import { randomMatrix, randomNumbers, seededRandom } from '../../src/testing/random.ts';
import { rounded, shifted } from '../../src/testing/rounding.ts';
import { type Bench, withDevice } from './device.ts';

const [blank, eos] = [0, 2];

interface Case {
  readonly batch: number;
  readonly slots: number;
  readonly width: number;
  readonly vocabulary: number;
  readonly candidates: readonly (readonly number[])[];
  readonly tiling: Tiling;
}

interface Image {
  readonly got: Scored;
  readonly logits: Float32Array;
}

/** What the kernels say of random rows, with the logits that the reference makes of them. */
async function score(bench: Bench, c: Case): Promise<Image[]> {
  const { batch, slots, width, vocabulary, candidates, tiling } = c;
  const random = seededRandom(slots * vocabulary);
  const x = randomNumbers(random, batch * slots * width);
  const weight = randomMatrix(random, width, vocabulary);
  const bias = randomNumbers(random, vocabulary);
  const gain = randomNumbers(random, width).map((value) => 2 + value);
  const norm = { gain, bias: randomNumbers(random, width), epsilon: 1e-5 };
  const folded = foldNorm({ weight: weight.data, bias }, norm);
  const logits =
    tiling.weightBits === 32
      ? linear(x, packLinear(weight, { shape: [vocabulary], data: bias }), { norm })
      : linear(
          shifted(x, width, norm.epsilon),
          packLinear(
            { shape: weight.shape, data: rounded(folded, tiling.weightBits).weight },
            { shape: [vocabulary], data: folded.bias },
          ),
        );
  const rows = Array.from({ length: batch * slots }, (_, row) =>
    logits.subarray(row * vocabulary, (row + 1) * vocabulary),
  );

  const shape: DecoderShape = {
    ...{ width, vocabulary, blank, eos, epsilon: 1e-5, queries: slots },
    ...{ heads: 1, layers: 1, ffn: 4, memory: 1 },
  };
  const kernel = await ScoreKernel.compile(bench.device, shape, tiling);
  const head = packWeights(padOutputs(folded), tiling.weightBits);
  const inputs = {
    rows: bench.upload(x),
    weight: bench.upload(head.weight),
    bias: bench.upload(head.bias),
    logTotals: bench.upload(
      Float32Array.from(rows, (row) => Math.log(row.reduce((sum, v) => sum + Math.exp(v), 0))),
    ),
  };
  const { steps, ...found } = kernel.steps(bench.buffers, inputs, candidates, batch, slots);
  const results = new Results([found.scores, found.logProbs], batch);
  const together = bench.output(results.bytes / 4);
  const encoder = bench.device.createCommandEncoder();
  const scores = await bench.run(steps, found.scores.buffer, batch * candidates.length);
  results.copy(encoder, together);
  bench.device.queue.submit([encoder.finish()]);
  const bytes = await bench.run([], together, results.bytes / 4);
  expect(new Uint8Array(bytes, 0, scores.byteLength)).toEqual(new Uint8Array(scores));
  return Array.from({ length: batch }, (_, image) => {
    const read = (source: typeof found.scores) => results.read(bytes, source, image);
    return {
      got: readScored(read(found.scores), read(found.logProbs), found.tokens),
      logits: logits.subarray(image * slots * vocabulary, (image + 1) * slots * vocabulary),
    };
  });
}

/** The likeliest token of each slot, which only an alignment asks for. */
const slotsOf = ({ k, tokens, logProbs }: Posteriors): Slot[] =>
  Array.from({ length: tokens.length / k }, (_, slot) => {
    return { token: tokens[slot * k] ?? 0, logProb: logProbs[slot * k] ?? 0, kept: false };
  });

const tilings = [
  ['software', softwareTiling],
  ['hardware', hardwareTiling],
  ['weights of 16 bits', { ...hardwareTiling, weightBits: 16 }],
  ['weights of 8 bits', { ...softwareTiling, weightBits: 8 }],
] as const;

test.each(tilings)('every text over five tokens, by every path; cut for %s', (_, tiling) =>
  withDevice(async (bench) => {
    const [slots, vocabulary] = [4, 5];
    const words = [1, 3, 4];
    const texts: number[][] = [[]];
    for (const text of texts) {
      if (text.length < slots + 1) texts.push(...words.map((word) => [...text, word]));
    }
    const c = { batch: 2, slots, width: 8, vocabulary, candidates: texts, tiling };
    for (const { got, logits } of await score(bench, c)) {
      const likely = new Map<string, number>();
      for (const { text, logProb } of everyPath(posteriors(logits, vocabulary, vocabulary))) {
        likely.set(text.join(), (likely.get(text.join()) ?? 0) + Math.exp(logProb));
      }
      texts.forEach((text, i) => {
        const logProb = got.logProbs[i];
        const wanted = likely.get(text.join());
        if (wanted === undefined) expect(logProb).toBe(-Infinity);
        else expectClose([logProb ?? Number.NaN], [Math.log(wanted)], 1e-4);
      });
      const total = got.logProbs.reduce((sum, logProb) => sum + Math.exp(logProb), 0);
      expect(total).toBeCloseTo(1, 4);
    }
  }),
);

test.each(tilings)('a thousand random texts against the reference; cut for %s', (_, tiling) =>
  withDevice(async (bench) => {
    const [slots, vocabulary] = [32, 301];
    const random = seededRandom(7);
    const token = (most: number) => 3 + Math.floor(random() * (most - 3));
    // Few words in half of the texts, so that neighbours are often the same.
    const candidates = Array.from({ length: 1000 }, (_, i) =>
      Array.from({ length: i % 37 }, () => token(i % 2 ? 6 : vocabulary)),
    );
    const c = { batch: 2, slots, width: 48, vocabulary, candidates, tiling };
    for (const { got, logits } of await score(bench, c)) {
      const table = tokenTable(logits, vocabulary, got.table.tokens);
      expectClose(got.table.logProbs, table.logProbs, 1e-5);
      const emissions = ofTable(table, slotsOf(posteriors(logits, vocabulary, 1)));
      const wanted = candidates.map((text) => textLogProb(emissions, text, { blank, eos }));
      const possible = (values: ArrayLike<number>) =>
        Array.from(values, (value) => (value === -Infinity ? 0 : value));
      expectClose(possible(got.logProbs), possible(wanted), 1e-4);
      expect(Array.from(got.logProbs, (value) => value === -Infinity)).toEqual(
        wanted.map((value) => value === -Infinity),
      );
      expect(wanted.filter((value) => value === -Infinity).length).toBeGreaterThan(50);
    }
  }),
);

test('as many texts as there may be against the reference', () =>
  withDevice(async (bench) => {
    const [slots, vocabulary] = [12, 259];
    // Every text of two words, which is 65,536 of them but for the last.
    const candidates = Array.from({ length: 65_535 }, (_, i) => [3 + (i >> 8), 3 + (i & 255)]);
    const c = { batch: 1, slots, width: 8, vocabulary, candidates, tiling: softwareTiling };
    for (const { got, logits } of await score(bench, c)) {
      const emissions = ofTable(got.table, slotsOf(posteriors(logits, vocabulary, 1)));
      for (let i = 0; i < candidates.length; i += 97) {
        const wanted = textLogProb(emissions, candidates[i] ?? [], { blank, eos });
        expectClose([got.logProbs[i] ?? Number.NaN], [wanted], 1e-4);
      }
    }
  }));
