/** The whole bench, on a device that is given. */
import type { AdapterDescription } from '../src/gpu/device.ts';
import {
  type Bench,
  batchStage,
  decodeStage,
  kernelStage,
  predictions,
  slotsStage,
  textStage,
} from './experiments.ts';
import { reasonOf } from './measure.ts';
import { pipelineStage } from './pipeline.ts';
import { measureRates } from './rates/rates.ts';
import type { Report, Section } from './report.ts';
import type { Shipped } from './shipped.ts';
import { paperBase } from './sizes.ts';

/** What a run is to have in it. */
export interface Wanted {
  /** Times that every contender is timed; the paper's size, which takes long, a third of it. */
  readonly rounds: number;
  readonly paper: boolean;
}

/** What runs where. */
export interface Place extends Pick<Bench, 'device' | 'browser' | 'onProgress'> {
  readonly adapter: AdapterDescription;
  readonly userAgent: string;
}

export async function run(place: Place, shipped: Shipped, wanted: Wanted): Promise<Report> {
  const { adapter, userAgent } = place;
  const bench: Bench = { ...place, rounds: wanted.rounds };
  bench.onProgress('rates of the adapter');
  const rates = await measureRates(place.device, adapter.software);
  const sections: Section[] = [];
  /** What fails is a line of the report: the rest goes on. */
  const attempt = async <T>(title: string, make: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await make();
    } catch (error) {
      const failed = [{ name: 'all', reason: reasonOf(error) }];
      sections.push({ title, note: 'It could not be run.', timed: [], failed });
      return undefined;
    }
  };
  const stage = async (title: string, make: () => Promise<Section | Section[]>): Promise<void> => {
    sections.push(...[(await attempt(title, make)) ?? []].flat());
  };
  // Next to the rates that they are held to: who else is on the machine comes and goes.
  const kernels = await attempt('Kernels of a pass', () =>
    kernelStage(bench, shipped, rates, adapter.software),
  );
  await stage(shipped.name, () => decodeStage(bench, shipped));
  await stage('Slots', () => slotsStage(bench, shipped));
  await stage('Length of the text', () => textStage(bench, shipped));
  await stage('Batches', () => batchStage(bench, shipped));
  const predicted = await attempt('By the cost model', () =>
    predictions(bench, shipped, rates, sections),
  );
  if (wanted.paper) {
    const fewer = { ...bench, rounds: Math.ceil(wanted.rounds / 3) };
    await stage("the paper's size", () => decodeStage(fewer, paperBase()));
  }
  // Last: the encoder's sessions stay on the GPU.
  if (place.browser) {
    await stage('Whole pipeline', () => pipelineStage(bench, shipped, adapter.software));
  }
  return {
    date: new Date().toISOString().slice(0, 10),
    userAgent,
    adapter,
    rates,
    sections,
    kernels,
    predictions: predicted ?? [],
  };
}
