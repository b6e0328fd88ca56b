/** What is timed against what, and what is made of it. */
import { GpuDecoder } from '../src/gpu/decoder.ts';
import type { NetworkSteps } from '../src/gpu/network.ts';
import { profile } from '../src/gpu/profiler.ts';
import type { Step } from '../src/gpu/step.ts';
import { runsOn, type Tiling, tilingFor } from '../src/gpu/tiling.ts';
import type { DecoderWeights, QueryRange } from '../src/model/decoder.ts';
import { ReferenceDecoder } from '../src/reference/decoder.ts';
import { randomWeights } from '../src/testing/random.ts';
import { AutoregressiveDecoder } from './autoregressive/decoder.ts';
import {
  autoregressive,
  fallback,
  fullLengths,
  inTypeScript,
  judged,
  memoryOf,
  onePass,
  onnxInWasm,
  onnxOnGpu,
  pointed,
  searched,
} from './contenders.ts';
import { type Contender, type Failed, interleave, reasonOf } from './measure.ts';
import { between, type Counts, devices, dispatchTime, predict } from './model.ts';
import { anyImage, WholeNetwork } from './network.ts';
import { type OnnxDecoder, onnxDecoder } from './onnx/decoder.ts';
import type { Rates } from './rates/rates.ts';
import type { KernelShare, Prediction, Section } from './report.ts';
import type { Shipped } from './shipped.ts';
import type { Size } from './sizes.ts';
import {
  type TransformersFiles,
  transformersFiles,
  transformersInWasm,
  transformersOnGpu,
} from './transformers.ts';

/** Where the bench runs, and how long it may take. */
export interface Bench {
  readonly device: GPUDevice;
  /** Whether onnxruntime and a page are there. */
  readonly browser: boolean;
  readonly rounds: number;
  /** When no more is to be begun, by `performance.now()`; by default never. */
  readonly until?: number | undefined;
  /** Whether plain TypeScript is timed too, which takes half a minute a pass at the paper's size. */
  readonly inTypeScript?: boolean;
  onProgress(what: string): void;
}

/** A contender that may turn out not to run here. */
export interface Entrant {
  readonly name: string;
  make(name: string): Promise<Contender> | Contender;
}

/** Words of an autoregressive text are one more than it shows: its end. */
const END = 1;
const BEAMS = 5;
/** Tokens of a box: x0, y0, x1, y1. */
const CORNERS = 4;
const WARM_UPS = 2;

/** Title of the section from pixels to words. */
export const PIPELINE = 'Whole pipeline';

const FROM_MEMORY = 'From the memory on the GPU to token ids on the CPU, one image.';

/** All contenders on one size, and what it is asked for: captions, answers, boxes, verdicts. */
export async function decodeStage(bench: Bench, size: Size): Promise<Section[]> {
  const { device } = bench;
  const { shape, weights } = size;
  const lengths = fullLengths(size, 1);
  const { captions, answers, boxes, verdicts, search } = size;
  const owned: { dispose(): void }[] = [];
  const own = <T extends { dispose(): void }>(made: T): T => {
    owned.push(made);
    return made;
  };
  const memory = memoryOf(size, 1);
  const decoder = async (tiling: Tiling) => {
    const made = own(await GpuDecoder.create(device, shape, weights, tiling));
    device.queue.writeBuffer(made.memoryBuffer(1), 0, memory);
    return made;
  };
  const usual = tilingFor(device);
  let one: Promise<GpuDecoder> | undefined;
  const narvl = () => {
    one ??= decoder(usual);
    return one;
  };
  const rounded = (weightBits: 16 | 8): Entrant => ({
    name: `(a) the same, weights of ${weightBits} bits`,
    make: async (name) => onePass(name, await decoder({ ...usual, weightBits }), lengths, captions),
  });
  const inHalves: Entrant = {
    name: '(a) the same, weights and products of 16 bits',
    make: async (name) => {
      const cut = { ...usual, weightBits: 16, productBits: 16 } as const;
      if (!runsOn(device, cut)) throw new Error('the adapter has no shader-f16');
      return onePass(name, await decoder(cut), lengths, captions);
    },
  };
  const opponent = (beams: number, words: number) => {
    let made: Promise<AutoregressiveDecoder> | undefined;
    return () => {
      const writing = { batch: 1, beams, words };
      made ??= AutoregressiveDecoder.create(device, shape, weights, writing).then((decoder) => {
        device.queue.writeBuffer(decoder.memory, 0, memory);
        return own(decoder);
      });
      return made;
    };
  };
  const beams = opponent(BEAMS, 12 + END);
  const greedy = opponent(1, 20 + END);
  let graph: OnnxDecoder | undefined;
  const onnx = () => {
    graph ??= onnxDecoder(shape, weights, captions.count);
    return graph;
  };
  let files: TransformersFiles | undefined;
  const inItsLayout = () => {
    files ??= transformersFiles(size);
    return files;
  };
  const ours = (name: string, queries: QueryRange): Entrant => ({
    name,
    make: async () => onePass(name, await narvl(), lengths, queries),
  });
  const theirs = (
    name: string,
    decoder: () => Promise<AutoregressiveDecoder>,
    words: number,
    wait: 'end' | 'word' = 'end',
  ): Entrant => steps(name, decoder, words + END, wait);
  /** An opponent that knows how many tokens to write, and writes no end. */
  const steps = (
    name: string,
    decoder: () => Promise<AutoregressiveDecoder>,
    count: number,
    wait: 'end' | 'word' = 'end',
  ): Entrant => ({
    name,
    make: async () => autoregressive(name, await decoder(), lengths, count, wait),
  });
  const elsewhere = (name: string, make: Entrant['make']): Entrant => ({
    name,
    make: (entrant) => {
      if (!bench.browser) throw new Error('onnxruntime-web wants a browser');
      return make(entrant);
    },
  });
  try {
    const captioning = await section(bench, `Captions, ${size.name}`, FROM_MEMORY, [
      ours(`(a) one pass, ${captions.count} slots`, captions),
      rounded(16),
      inHalves,
      rounded(8),
      ...(search
        ? [
            {
              name: '(a) the same, searched by beam and n-grams',
              make: async (name: string) =>
                searched(name, await narvl(), lengths, captions, search),
            },
          ]
        : []),
      ...[3, 6, 12, 20].map((words) =>
        theirs(`(b) greedy with a cache, ${words} words`, greedy, words),
      ),
      theirs('(c) the same, 12 words, each read back', greedy, 12, 'word'),
      theirs(`(d) beam search, ${BEAMS} beams, 12 words`, beams, 12),
      elsewhere('(e) onnxruntime-web, WebGPU', (name) =>
        onnxOnGpu(name, device, size, onnx(), false),
      ),
      elsewhere('(e) the same with graph capture', (name) =>
        onnxOnGpu(name, device, size, onnx(), true),
      ),
      elsewhere('(f) transformers.js, WebGPU, greedy with a cache, 12 words', (name) =>
        transformersOnGpu(name, device, size, inItsLayout(), 12 + END),
      ),
      elsewhere('(f) the same, WebAssembly', (name) =>
        transformersInWasm(name, size, inItsLayout(), 12 + END),
      ),
      elsewhere('(g) onnxruntime-web, WebAssembly', (name) => onnxInWasm(name, size, onnx())),
      elsewhere('(g) the fallback without WebGPU: decoder.onnx in WebAssembly', (name) => {
        if (!size.fallback) throw new Error('this size has no decoder.onnx');
        return fallback(name, size, size.fallback);
      }),
      {
        name: '(g) plain TypeScript',
        make: (name) => {
          if (bench.inTypeScript === false) throw new Error('left out');
          return inTypeScript(name, size);
        },
      },
    ]);
    const sections = [captioning];
    if (answers) {
      const entrants = [
        ours(`(a) one pass, ${answers.count} slots`, answers),
        theirs('(b) greedy with a cache, 3 words', greedy, 3),
        theirs('(c) the same, each read back', greedy, 3, 'word'),
        theirs(`(d) beam search, ${BEAMS} beams, 3 words`, beams, 3),
      ];
      sections.push(await section(bench, `Answers, ${size.name}`, FROM_MEMORY, entrants));
    }
    if (boxes) {
      const entrants: Entrant[] = [
        {
          name: `(a) one pass, ${boxes.queries.count} slots, and the best of its boxes`,
          make: async (name) => pointed(name, await narvl(), lengths, boxes),
        },
        steps(`(b) greedy with a cache, ${CORNERS} tokens`, greedy, CORNERS),
        steps('(c) the same, each read back', greedy, CORNERS, 'word'),
        steps(`(d) beam search, ${BEAMS} beams, ${CORNERS} tokens`, beams, CORNERS),
      ];
      sections.push(await section(bench, `Boxes, ${size.name}`, FROM_MEMORY, entrants));
    }
    if (verdicts) {
      const entrants: Entrant[] = [
        {
          name: `(a) one pass, ${verdicts.queries.count} slots, three labels scored`,
          make: async (name) => judged(name, await narvl(), lengths, verdicts),
        },
        // Its first token tells the labels apart.
        steps('(b) one step', greedy, 1),
      ];
      sections.push(await section(bench, `Verdicts, ${size.name}`, FROM_MEMORY, entrants));
    }
    return sections;
  } finally {
    for (const made of owned) made.dispose();
  }
}

/** One pass over 20, 40 and 80 slots. */
export async function slotsStage(bench: Bench, size: Size): Promise<Section> {
  const shape = { ...size.shape, queries: 80 };
  const decoder = await GpuDecoder.create(bench.device, shape, randomWeights(shape, 2));
  bench.device.queue.writeBuffer(decoder.memoryBuffer(1), 0, memoryOf(size, 1));
  try {
    return await section(
      bench,
      'Slots',
      FROM_MEMORY,
      [20, 40, 80].map((count) => ({
        name: `${count} slots`,
        make: (name) => onePass(name, decoder, fullLengths(size, 1), { first: 0, count }),
      })),
    );
  } finally {
    decoder.dispose();
  }
}

/** One pass whose text is short, and one whose text is long. */
export async function textStage(bench: Bench, size: Size): Promise<Section> {
  // Trained weights would not say so much of a random memory.
  const random = { ...size, weights: randomWeights(size.shape, 2) };
  const lengths = fullLengths(size, 1);
  const queries = size.captions;
  const decoders: GpuDecoder[] = [];
  const texts: Entrant[] = [];
  try {
    // The blank's bias decides how many slots say a word: as many as are wanted, or nearly.
    for (const wanted of [3, 15]) {
      const [weights, words] = withWords(random, queries, wanted);
      const decoder = await GpuDecoder.create(bench.device, size.shape, weights);
      bench.device.queue.writeBuffer(decoder.memoryBuffer(1), 0, memoryOf(size, 1));
      decoders.push(decoder);
      texts.push({
        name: `a text of ${words} tokens`,
        make: (name) => onePass(name, decoder, lengths, queries),
      });
    }
    return await section(bench, 'Length of the text', FROM_MEMORY, texts);
  } finally {
    for (const decoder of decoders) decoder.dispose();
  }
}

/** One pass and greedy search over batches. */
export async function batchStage(bench: Bench, size: Size): Promise<Section> {
  const { device } = bench;
  const { shape, weights } = size;
  const words = 12 + END;
  const narvl = await GpuDecoder.create(device, shape, weights);
  const owned: { dispose(): void }[] = [narvl];
  const batches = [1, 4, 16];
  try {
    return await section(
      bench,
      'Batches',
      'From the memories on the GPU to token ids on the CPU; times are those of the whole batch.',
      [
        ...batches.map((batch) => ({
          name: `(a) one pass, ${batch} at once`,
          make: (name: string) => {
            device.queue.writeBuffer(narvl.memoryBuffer(batch), 0, memoryOf(size, batch));
            return onePass(name, narvl, fullLengths(size, batch), size.captions);
          },
        })),
        ...batches.map((batch) => ({
          name: `(b) greedy with a cache, 12 words, ${batch} at once`,
          make: async (name: string) => {
            const writing = { batch, beams: 1, words };
            const decoder = await AutoregressiveDecoder.create(device, shape, weights, writing);
            owned.push(decoder);
            device.queue.writeBuffer(decoder.memory, 0, memoryOf(size, batch));
            return autoregressive(name, decoder, fullLengths(size, batch), words);
          },
        })),
      ],
    );
  } finally {
    for (const made of owned) made.dispose();
  }
}

/** Where a pass spends its time, kernel by kernel, and how near that is to what can be had. */
export async function kernelStage(
  bench: Bench,
  size: Size,
  rates: Rates,
  software: boolean,
): Promise<KernelShare[] | undefined> {
  bench.onProgress('kernels of a pass');
  const decoder = await GpuDecoder.create(bench.device, size.shape, size.weights);
  try {
    bench.device.queue.writeBuffer(decoder.memoryBuffer(1), 0, memoryOf(size, 1));
    const queries = size.captions;
    await decoder.decode({ memoryLengths: fullLengths(size, 1), queries });
    return await kernelShares(bench, await decoder.steps(1, queries), rates, software);
  } finally {
    decoder.dispose();
  }
}

/** The same of what comes before the decoder, and the dispatches of the whole for the cost model. */
export async function encodingStage(
  bench: Bench,
  shipped: Shipped,
  rates: Rates,
  software: boolean,
): Promise<{ kernels: KernelShare[] | undefined; steps: NetworkSteps }> {
  bench.onProgress('kernels before the pass');
  const whole = await WholeNetwork.create(bench.device, shipped);
  try {
    const image = anyImage();
    await whole.caption([image]);
    const steps = await whole.steps([image]);
    const seeing = await kernelShares(bench, steps.looking, rates, software);
    const fusing = await kernelShares(bench, steps.fusing, rates, software);
    const of = (part: string, kernels: readonly KernelShare[]) =>
      kernels.map((share) => ({ ...share, kernel: `${part}: ${share.kernel}` }));
    const kernels = seeing && fusing && [...of('vision', seeing), ...of('fusion', fusing)];
    return { kernels, steps };
  } finally {
    whole.dispose();
  }
}

/** Each kernel of these steps. @returns undefined if the adapter has no timestamps */
export async function kernelShares(
  { device, rounds }: Pick<Bench, 'device' | 'rounds'>,
  steps: readonly Step[],
  rates: Rates,
  software: boolean,
): Promise<KernelShare[] | undefined> {
  const found = await profile(device, steps, rounds, software ? 1 : 20);
  if (!found) return undefined;
  const kernels = [...new Set(found.map(({ kernel }) => kernel))];
  return kernels.map((kernel) => {
    const steps = found.filter((step) => step.kernel === kernel);
    const milliseconds = sum(steps.map((step) => step.milliseconds));
    const operations = sum(steps.map(({ work }) => work.operations)) / rates.operations;
    const memory = (4 * sum(steps.map(({ work }) => work.numbers))) / rates.bandwidth;
    return {
      kernel,
      dispatches: steps.length,
      milliseconds,
      roofline: sum(steps.map(({ work }) => dispatchTime(work, rates))) / milliseconds,
      bound: memory > operations ? 'memory' : 'arithmetic',
    };
  });
}

/**
 * What the cost model says of what was measured.
 *
 * @param whole a caption from an image's bytes, if that is to be said of too
 */
export async function predictions(
  bench: Bench,
  size: Size,
  rates: Rates,
  sections: readonly Section[],
  whole?: NetworkSteps,
): Promise<Prediction[]> {
  const { device } = bench;
  const { shape, weights } = size;
  const words = 12 + END;
  const decoder = await GpuDecoder.create(device, shape, weights);
  const greedy = await AutoregressiveDecoder.create(device, shape, weights, {
    ...{ batch: 1, beams: 1, words },
  });
  const beams = await AutoregressiveDecoder.create(device, shape, weights, {
    ...{ batch: 1, beams: BEAMS, words },
  });
  try {
    const pass = async (queries: QueryRange): Promise<Counts> => ({
      steps: await decoder.steps(1, queries),
      submits: 1,
    });
    const captions = await pass(size.captions);
    const answers = size.answers && (await pass(size.answers));
    const search = (of: AutoregressiveDecoder, length: number, submits: number): Counts => ({
      steps: of.steps(length + END),
      submits,
    });
    const rows: [string, Counts, Counts, RegExp, RegExp][] = [
      [
        '(b) / (a), captions of 12 words',
        search(greedy, 12, 1),
        captions,
        /^Captions/,
        /^\(b\).* 12/,
      ],
      [
        '(c) / (a), captions of 12 words',
        search(greedy, 12, words),
        captions,
        /^Captions/,
        /^\(c\)/,
      ],
      ['(d) / (a), captions of 12 words', search(beams, 12, 1), captions, /^Captions/, /^\(d\)/],
    ];
    if (answers) {
      const theirs = search(beams, 3, 1);
      rows.push(['(d) / (a), answers of 3 words', theirs, answers, /^Answers/, /^\(d\)/]);
    }
    const together = { steps: await decoder.steps(16, size.captions), submits: 1 };
    const prediction = (name: string, ratio: (of: Rates) => number, measured?: number) => ({
      name,
      ratios: Object.fromEntries(devices.map((of) => [of.name, between(of, ratio)])),
      here: ratio(rates),
      measured,
    });
    const batches = sections.find(({ title }) => title === 'Batches');
    const sixteen = batches?.timed.find(({ name }) => /^\(a\).* 16/.test(name))?.ratio;
    return [
      ...rows.map(([name, theirs, ours, title, contender]) =>
        prediction(
          name,
          (of) => predict(theirs, of) / predict(ours, of),
          find(sections, size, title, contender),
        ),
      ),
      prediction(
        '(a), images a second, 16 at once / 1',
        (of) => (16 * predict(captions, of)) / predict(together, of),
        sixteen && 16 / sixteen,
      ),
      ...(whole ? pipelineRows(whole, search(greedy, 12, 1), sections, prediction) : []),
    ];
  } finally {
    for (const made of [decoder, greedy, beams]) made.dispose();
  }
}

/** The whole pipeline's: its time, and its ratio to the same with the opponent behind. */
function pipelineRows(
  { looking, fusing, decoding }: NetworkSteps,
  opponent: Counts,
  sections: readonly Section[],
  prediction: (name: string, of: (rates: Rates) => number, measured?: number) => Prediction,
): Prediction[] {
  const before = [...looking, ...fusing];
  const ours = { steps: [...before, ...decoding], submits: 1 };
  const theirs = { ...opponent, steps: [...before, ...opponent.steps] };
  const { timed = [] } = sections.find(({ title }) => title === PIPELINE) ?? {};
  const one = timed.find(({ name }) => name.startsWith('(a)'));
  const greedy = timed.find(({ name }) => name.startsWith('(b)'));
  return [
    prediction(
      '(b) / (a), whole pipeline, 12 words',
      (of) => predict(theirs, of) / predict(ours, of),
      greedy?.ratio,
    ),
    prediction('(a), whole pipeline, ms', (of) => predict(ours, of), one?.median),
  ];
}

function find(
  sections: readonly Section[],
  size: Size,
  title: RegExp,
  contender: RegExp,
): number | undefined {
  return sections
    .find((section) => title.test(section.title) && section.title.endsWith(size.name))
    ?.timed.find(({ name }) => contender.test(name))?.ratio;
}

/** Makes the contenders and times them; one that cannot be made, or run, becomes a reason. */
export async function section(
  bench: Bench,
  title: string,
  note: string,
  wanted: readonly Entrant[],
): Promise<Section> {
  const made: Contender[] = [];
  const failed: Failed[] = [];
  const { until = Number.POSITIVE_INFINITY } = bench;
  // A round takes about what preparing took, in which each has run once.
  const half = until - (until - performance.now()) / 2;
  try {
    for (const { name, make } of wanted) {
      if (made.length > 0 && performance.now() > half) {
        failed.push({ name, reason: 'no time was left' });
        continue;
      }
      bench.onProgress(`${title}: preparing ${name}`);
      try {
        made.push(await withoutGpuErrors(bench.device, () => make(name)));
      } catch (error) {
        failed.push({ name, reason: reasonOf(error) });
      }
    }
    const rounds = {
      rounds: bench.rounds,
      warmUps: Math.min(WARM_UPS, bench.rounds),
      enough: () => performance.now() > until,
    };
    const found = await interleave(made, wanted[0]?.name ?? '', rounds, (done) =>
      bench.onProgress(`${title}: round ${done} of ${rounds.rounds + rounds.warmUps}`),
    );
    return { title, note, timed: found.timed, failed: [...failed, ...found.failed] };
  } finally {
    await Promise.allSettled(made.map((contender) => contender.dispose?.()));
  }
}

/** Makes a contender and runs it once: the GPU says only here that a dispatch did nothing. */
async function withoutGpuErrors(
  device: GPUDevice,
  make: () => Promise<Contender> | Contender,
): Promise<Contender> {
  const filters = ['validation', 'out-of-memory'] as const;
  for (const filter of filters) device.pushErrorScope(filter);
  let contender: Contender | undefined;
  let failure: unknown;
  try {
    contender = await make();
    await contender.run();
  } catch (error) {
    failure = error;
  }
  const errors = await Promise.all(filters.map(() => device.popErrorScope()));
  failure ??= errors.find((error) => error !== null);
  if (contender && !failure) return contender;
  await contender?.dispose?.();
  throw failure instanceof GPUError ? new Error(failure.message) : failure;
}

/** The size's weights with a blank so likely that about so many tokens are left. */
function withWords(size: Size, queries: QueryRange, wanted: number): [DecoderWeights, number] {
  const { shape, weights } = size;
  const request = { memoryLengths: fullLengths(size, 1), queries };
  let [low, high] = [-60, 60];
  for (let step = 0; ; step++) {
    const middle = (low + high) / 2;
    const tried = biased(weights, shape.blank, middle);
    const [decoding] = new ReferenceDecoder(shape, tried).decode(memoryOf(size, 1), request);
    const words = decoding?.tokens.length ?? 0;
    if (words === wanted || step === 12) return [tried, words];
    if (words > wanted) low = middle;
    else high = middle;
  }
}

function biased(weights: DecoderWeights, token: number, more: number): DecoderWeights {
  const bias = weights.get('head.bias');
  if (!bias) return weights;
  const data = bias.data.slice();
  data[token] = (data[token] ?? 0) + more;
  return new Map(weights).set('head.bias', { ...bias, data });
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
