/** The whole bench, on a device that is given. */
import type { AdapterDescription } from '../src/gpu/device.ts';
import {
  type Bench,
  batchStage,
  decodeStage,
  encodingStage,
  kernelStage,
  PIPELINE,
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
export interface Place extends Pick<Bench, 'device' | 'browser' | 'until' | 'onProgress'> {
  readonly adapter: AdapterDescription;
  readonly userAgent: string;
  /** Told of what there is after each section. */
  onReport?(report: Report): void;
}

export async function run(place: Place, shipped: Shipped, wanted: Wanted): Promise<Report> {
  const { adapter, userAgent, until, onReport = () => {} } = place;
  place.onProgress('rates of the adapter');
  const rates = await measureRates(place.device, adapter.software);
  let report: Report = {
    date: new Date().toISOString().slice(0, 10),
    ...{ userAgent, adapter, rates },
    ...{ sections: [], kernels: undefined, encoding: undefined, predictions: [] },
  };
  const grow = (more: Partial<Report>): void => {
    report = { ...report, ...more };
    onReport(report);
  };
  const add = (sections: readonly Section[]) =>
    grow({ sections: [...report.sections, ...sections] });
  /** What fails is a line of the report: the rest goes on. */
  const attempt = async <T>(title: string, make: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await make();
    } catch (error) {
      const failed = [{ name: 'all', reason: reasonOf(error) }];
      add([{ title, note: 'It could not be run.', timed: [], failed }]);
      return undefined;
    }
  };
  let left = 5 + Number(wanted.paper);
  /** What time there is, is shared among the stages that are still to come. */
  const stage = async (
    title: string,
    make: (bench: Bench) => Promise<Section | Section[]>,
    rounds = wanted.rounds,
  ): Promise<void> => {
    const now = performance.now();
    const share = until === undefined ? undefined : now + (until - now) / left--;
    add([(await attempt(title, () => make({ ...place, rounds, until: share }))) ?? []].flat());
  };
  const bench: Bench = { ...place, rounds: wanted.rounds };
  // Next to the rates that they are held to: who else is on the machine comes and goes.
  const kernels = await attempt('Kernels of a pass', () =>
    kernelStage(bench, shipped, rates, adapter.software),
  );
  grow({ kernels });
  const before = await attempt('Kernels before the pass', () =>
    encodingStage(bench, shipped, rates, adapter.software),
  );
  grow({ encoding: before?.kernels });
  await stage(shipped.name, (bench) => decodeStage(bench, shipped));
  await stage('Slots', (bench) => slotsStage(bench, shipped));
  await stage('Length of the text', (bench) => textStage(bench, shipped));
  await stage('Batches', (bench) => batchStage(bench, shipped));
  if (wanted.paper) {
    const fewer = Math.ceil(wanted.rounds / 3);
    await stage("the paper's size", (bench) => decodeStage(bench, paperBase()), fewer);
  }
  // Last: the encoder's sessions stay on the GPU.
  await stage(PIPELINE, (bench) => pipelineStage(bench, shipped));
  const predicted = await attempt('By the cost model', () =>
    predictions(bench, shipped, rates, report.sections, before?.steps),
  );
  grow({ predictions: predicted ?? [] });
  return report;
}
