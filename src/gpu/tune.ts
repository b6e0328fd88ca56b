/** Which cut of the kernels runs fastest on a device: a few are built, and take turns. */
import type { ArrivingWeights } from '../model/arriving-weights.ts';
import type { DecoderShape, DecoderWeights, QueryRange } from '../model/decoder.ts';
import { GpuDecoder } from './decoder.ts';
import type { NormWeights } from './fold.ts';
import { hardwareTiling, runsOn, type Tiling } from './tiling.ts';

/**
 * What is worth trying on a GPU, by name. Weights of 8 bits are not: that they are fast is no reason
 * to round them.
 */
export const variants: ReadonlyMap<string, Tiling> = new Map([
  ['32 bits', hardwareTiling],
  ['16 bits', { ...hardwareTiling, weightBits: 16 }],
  ['16 bits, short loops', { ...hardwareTiling, weightBits: 16, columnLanes: 8, slices: 16 }],
  ['16 bits, wide tiles', { ...hardwareTiling, weightBits: 16, columnLanes: 32, slices: 2 }],
  ['16 bits, subgroups', { ...hardwareTiling, weightBits: 16, subgroups: true }],
  [
    '16 bits, products too, subgroups',
    { ...hardwareTiling, weightBits: 16, productBits: 16, subgroups: true },
  ],
]);

/** The fastest decoder, and what each took. */
export interface Tuned {
  readonly name: string;
  readonly decoder: GpuDecoder;
  /** Median of a pass, by the variant's name. */
  readonly milliseconds: ReadonlyMap<string, number>;
}

const ROUNDS = 5;
/** Milliseconds after which no new round is begun. */
const BUDGET = 1000;

/**
 * Times a pass over one image's `queries` with each variant, in turns, after one that does not count.
 * A variant that the device cannot build or run is left out, and one whose feature it lacks is not
 * tried.
 *
 * @param memoryNorm as `GpuDecoder.create` takes it
 * @throws NarvlError as `GpuDecoder.create` and `decode` do, if none is left.
 */
export async function fastestDecoder(
  device: GPUDevice,
  shape: DecoderShape,
  weights: DecoderWeights | ArrivingWeights,
  queries: QueryRange,
  candidates: ReadonlyMap<string, Tiling> = variants,
  memoryNorm: NormWeights | undefined = undefined,
): Promise<Tuned> {
  const decoders = new Map<string, GpuDecoder>();
  let failure: unknown;
  for (const [name, tiling] of candidates) {
    if (!runsOn(device, tiling)) continue;
    try {
      decoders.set(
        name,
        await accepted(device, () => GpuDecoder.create(device, shape, weights, tiling, memoryNorm)),
      );
    } catch (error) {
      failure = error;
    }
  }
  const times = new Map([...decoders.keys()].map((name) => [name, [] as number[]]));
  const pass = { memoryLengths: [shape.memory], queries };
  const begun = performance.now();
  try {
    for (let round = 0; round <= ROUNDS; round++) {
      if (round > 1 && performance.now() - begun > BUDGET) break;
      for (const [name, decoder] of decoders) {
        // A memory of zeros, which take as long as any.
        const started = performance.now();
        try {
          // What a device refuses takes no time: it would win.
          if (round === 0) await accepted(device, () => decoder.decode(pass));
          else await decoder.decode(pass);
        } catch (error) {
          failure = error;
          decoders.delete(name);
          times.delete(name);
          decoder.dispose();
          continue;
        }
        if (round > 0) times.get(name)?.push(performance.now() - started);
      }
    }
    const milliseconds = new Map([...times].map(([name, of]) => [name, median(of)]));
    const [best] = [...milliseconds].sort(([, a], [, b]) => a - b);
    const decoder = best && decoders.get(best[0]);
    if (!best || !decoder) throw failure;
    decoders.delete(best[0]);
    return { name: best[0], decoder, milliseconds };
  } finally {
    for (const decoder of decoders.values()) decoder.dispose();
  }
}

/** Does `work`, which is all that the device is given meanwhile, and throws what it refused of it. */
async function accepted<T>(device: GPUDevice, work: () => Promise<T>): Promise<T> {
  device.pushErrorScope('validation');
  const done = work();
  await done.catch(() => {});
  const refused = await device.popErrorScope();
  if (refused) throw new Error(`The device refused its work: ${refused.message}`);
  return done;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.POSITIVE_INFINITY;
}
