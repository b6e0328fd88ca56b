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
import { pipelineStage } from './pipeline.ts';
import { measureRates } from './rates/rates.ts';
import type { KernelShare, Prediction, Report, Section } from './report.ts';
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
  const sections: Section[] = [
    ...(await decodeStage(bench, shipped)),
    ...(place.browser ? [await pipelineStage(bench, shipped, adapter.software)] : []),
    await slotsStage(bench, shipped),
    await textStage(bench, shipped),
    await batchStage(bench, shipped),
  ];
  const kernels: KernelShare[] | undefined = await kernelStage(bench, shipped, rates);
  const predicted: Prediction[] = await predictions(bench, shipped, rates, sections);
  if (wanted.paper) {
    const fewer = { ...bench, rounds: Math.ceil(wanted.rounds / 3) };
    sections.push(...(await decodeStage(fewer, paperBase())));
  }
  return {
    date: new Date().toISOString().slice(0, 10),
    userAgent,
    adapter,
    rates,
    sections,
    kernels,
    predictions: predicted,
  };
}
