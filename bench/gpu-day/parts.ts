/** What each part does: in a process of its own, with the driver that the environment names. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decode } from 'jpeg-js';
import { search, withNames } from '../../src/decode/search.ts';
import type { AdapterDescription, Gpu } from '../../src/gpu/device.ts';
import type { NetworkResult } from '../../src/gpu/network.ts';
import { runsOn, type Tiling, tilingFor } from '../../src/gpu/tiling.ts';
import { fastestDecoder } from '../../src/gpu/tune.ts';
import type { Slot } from '../../src/model/decoder.ts';
import type { RgbaPixels } from '../../src/model/image.ts';
import { wordCount } from '../../src/model/manifest.ts';
import { Tokenizer } from '../../src/model/tokenizer.ts';
import { ReferenceDecoder } from '../../src/reference/decoder.ts';
import { fusion } from '../../src/reference/fusion.ts';
import { patches, preprocess } from '../../src/reference/preprocess.ts';
import { vision } from '../../src/reference/vision.ts';
import { counted } from '../contenders.ts';
import { type Bench, decodeStage, type Entrant, kernelShares, section } from '../experiments.ts';
import { predict } from '../model.ts';
import { anyImage, WholeNetwork } from '../network.ts';
import { openDawn } from '../on-dawn.ts';
import { modelOnDisk } from '../on-disk.ts';
import { measureRates, type Rates } from '../rates/rates.ts';
import type { KernelShare, Section } from '../report.ts';
import { run } from '../run.ts';
import { type Shipped, shippedSize } from '../shipped.ts';
import { paperBase } from '../sizes.ts';

/** What a part is told. */
export interface Task {
  readonly name: string;
  /** Within which it is to be through, by its own plan. */
  readonly seconds: number;
  /** Folders of the model and of photographs. */
  readonly model: string;
  readonly photos: string;
  /** Sends what there is so far. */
  tell(data: unknown): Promise<void>;
}

/** What the adapter's part says. */
export interface AdapterData {
  readonly adapter: AdapterDescription;
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
}

/** What the network's part says. */
export interface NetworkData {
  readonly rates: Rates;
  readonly photos: readonly PhotoData[];
  readonly timings?: Section;
  /** Milliseconds of one caption by the cost model, at the rates above. */
  readonly predicted?: number;
  readonly kernels?: readonly KernelShare[] | undefined;
}

/** One photograph: what the GPU says, beside what plain TypeScript does. */
export interface PhotoData {
  readonly name: string;
  readonly text: string;
  /** Slots whose token is the same, of how many. */
  readonly same: number;
  readonly slots: number;
  /** The largest difference of a slot's log probability where the token is the same. */
  readonly worst: number;
}

/** What tuning's part says. */
export interface TuningData {
  readonly chosen: string;
  /** Median of a pass by the variant's name, milliseconds. */
  readonly milliseconds: Readonly<Record<string, number>>;
}

/** Of the limit, the share after which a part begins nothing new. */
const PLANNED = 0.8;

/** Every part by its stage, but the kernels' tests. */
export const parts: Readonly<Record<string, (task: Task) => Promise<void>>> = {
  adapter: async ({ tell }) => {
    const { device, adapter } = await openDawn();
    const limits: Record<string, number> = {};
    for (const name in device.limits) {
      const limit = device.limits[name as keyof GPUSupportedLimits];
      if (typeof limit === 'number') limits[name] = limit;
    }
    await tell({ adapter, features: [...device.features].sort(), limits } satisfies AdapterData);
  },

  bench: async (task) => {
    const shipped = shippedSize(await modelOnDisk(task.model));
    await onDevice(async (gpu) => {
      const bench = benchOf(gpu, task);
      const place = {
        ...bench,
        adapter: gpu.adapter,
        userAgent: `Dawn in Node ${process.version}`,
      };
      const onReport = (report: unknown) => void task.tell(report);
      const wanted = { rounds: bench.rounds, paper: false };
      await task.tell(await run({ ...place, onReport }, shipped, wanted));
    });
  },

  paper: async (task) => {
    await onDevice(async (gpu) => {
      // Half a minute of plain TypeScript a pass says nothing of a GPU.
      const bench: Bench = { ...benchOf(gpu, task), rounds: 5, inTypeScript: false };
      await task.tell(await decodeStage(bench, paperBase()));
    });
  },

  tuning: async (task) => {
    const { shape, weights, captions } = shippedSize(await modelOnDisk(task.model));
    await onDevice(async ({ device }) => {
      const tuned = await fastestDecoder(device, shape, weights, captions);
      const milliseconds = Object.fromEntries(tuned.milliseconds);
      await task.tell({ chosen: tuned.name, milliseconds } satisfies TuningData);
    });
  },

  network: async (task) => {
    const shipped = shippedSize(await modelOnDisk(task.model));
    await onDevice((gpu) => networkPart(gpu, shipped, task));
  },
};

/** A whole network, timed and compared. */
async function networkPart({ device, adapter }: Gpu, shipped: Shipped, task: Task): Promise<void> {
  const bench = benchOf({ device, adapter }, task);
  const rates = await measureRates(device, adapter.software);
  let said: NetworkData = { rates, photos: [] };
  const tell = async (more: Partial<NetworkData>) => {
    said = { ...said, ...more };
    await task.tell(said);
  };
  const whole = await WholeNetwork.create(device, shipped);
  try {
    // One at least, and more while there is time for the figures behind them.
    const began = performance.now();
    for (const name of ['cat', 'coffee', 'astronaut']) {
      if (performance.now() - began > 1000 * task.seconds * 0.25) break;
      const photo = await readPhoto(join(task.photos, `${name}.jpg`));
      const result = await whole.caption([photo], true);
      const against = await compare(shipped, whole, photo, result);
      await tell({ photos: [...said.photos, { name, ...against }] });
    }
    const image = anyImage();
    const steps = await whole.steps([image]);
    const all = [...steps.looking, ...steps.fusing, ...steps.decoding];
    await tell({ predicted: predict({ steps: all, submits: 1 }, rates) });
    await tell({ timings: await timeNetworks(bench, shipped, whole, image) });
    const few = { ...bench, rounds: 3 };
    await tell({ kernels: await kernelShares(few, all, rates, adapter.software) });
  } finally {
    whole.dispose();
  }
}

/** Batches, and weights and products in fewer bits. */
async function timeNetworks(
  bench: Bench,
  shipped: Shipped,
  whole: WholeNetwork,
  image: RgbaPixels,
): Promise<Section> {
  const { device } = bench;
  const owned: WholeNetwork[] = [];
  const batch = (count: number): Entrant => ({
    name: `${count} at once`,
    make: (name) =>
      counted(name, () => whole.caption(new Array<RgbaPixels>(count).fill(image), true)),
  });
  const cut = (what: string, tiling: Tiling): Entrant => ({
    name: `1 at once, ${what}`,
    make: async (name) => {
      if (!runsOn(device, tiling)) throw new Error('the adapter lacks its features');
      const other = await WholeNetwork.create(device, shipped, tiling);
      owned.push(other);
      return counted(name, () => other.caption([image], true));
    },
  });
  const usual = tilingFor(device);
  const narrow = { ...usual, weightBits: 16 } as const;
  try {
    return await section(
      bench,
      'From pixels to what every slot says',
      `An image of ${image.width} × ${image.height}; times are those of the whole batch.`,
      [
        batch(1),
        cut('weights of 16 bits', narrow),
        cut('weights and products of 16 bits', { ...narrow, productBits: 16 }),
        batch(4),
        batch(16),
      ],
    );
  } finally {
    for (const made of owned) made.dispose();
  }
}

/** The same photograph in plain TypeScript. */
async function compare(
  { before, shape, weights, captions, search: way, model }: Shipped,
  whole: WholeNetwork,
  { data, width, height }: RgbaPixels,
  { decodings, names }: NetworkResult,
): Promise<Omit<PhotoData, 'name'>> {
  const network = await before.network();
  const [ours] = decodings;
  if (!network || !ours?.posteriors) throw new Error('The network said nothing');
  const { image, prompt } = before.manifest;
  const pixels = preprocess(data, width, height, image);
  const seen = vision(network.vision, patches(pixels, image.size));
  const used = [...whole.prompt.ids.subarray(0, whole.prompt.used)];
  const { memory, evidence } = fusion(network.fusion, { ...shape, pad: prompt.pad }, seen, used);
  const padded = new Float32Array(shape.memory * shape.width);
  padded.set(memory);
  const request = { memoryLengths: [whole.memoryLength], queries: captions };
  const [wanted] = new ReferenceDecoder(shape, weights).decode(padded, request, evidence);
  const pairs = ours.slots.map((slot, i): [Slot, Slot | undefined] => [slot, wanted?.slots[i]]);
  const same = pairs.filter(([got, want]) => got.token === want?.token);
  const found = way && search(ours.posteriors, ours.tokens, withNames(way, names[0] ?? []));
  const tokenizer = new Tokenizer(model.files['tokenizer.json'], wordCount(model.manifest));
  return {
    text: tokenizer.decode(found?.decoding.tokens ?? ours.tokens),
    same: same.length,
    slots: pairs.length,
    worst: Math.max(0, ...same.map(([got, want]) => Math.abs(got.logProb - (want?.logProb ?? 0)))),
  };
}

/** A photograph's bytes, decoded without a browser. */
async function readPhoto(path: string): Promise<RgbaPixels> {
  const { data, width, height } = decode(await readFile(path), { useTArray: true });
  return { data, width, height };
}

/** A device, and an end to it all if it is lost or refuses what nobody asked about. */
async function onDevice(work: (gpu: Gpu) => Promise<void>): Promise<void> {
  const gpu = await openDawn();
  const end = gpu.lost.then((error) => Promise.reject(error));
  await Promise.race([work(gpu), end]);
  const error = gpu.takeError();
  if (error) throw error;
}

function benchOf({ device, adapter }: Pick<Gpu, 'device' | 'adapter'>, task: Task): Bench {
  // From the process's begin on, as its limit is.
  const until = 1000 * task.seconds * PLANNED;
  const onProgress = (what: string) => console.error(`  ${what}`);
  return { device, browser: false, rounds: adapter.software ? 3 : 21, until, onProgress };
}
