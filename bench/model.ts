/**
 * What a decoder takes on a device whose rates are known: of each dispatch the larger of what memory
 * and what arithmetic take, or both where nothing overlaps, and its launch; of each submit, the wait
 * for its result.
 */
import type { Step } from '../src/gpu/step.ts';
import type { Rates } from './rates/rates.ts';

/** What is modelled, as the plan counts it. */
export interface Counts {
  readonly steps: readonly Pick<Step, 'work'>[];
  readonly submits: number;
}

/** Milliseconds. */
export function predict({ steps, submits }: Counts, rates: Rates): number {
  const dispatches = steps.reduce((sum, { work }) => sum + dispatchTime(work, rates), 0);
  return dispatches + steps.length * rates.launch + submits * rates.wait;
}

/** Milliseconds of one dispatch, its launch left out: the roofline. */
export function dispatchTime(work: Step['work'], rates: Rates): number {
  const memory = (4 * work.numbers) / rates.bandwidth;
  const arithmetic = work.operations / rates.operations;
  return 1000 * (rates.overlap ? Math.max(memory, arithmetic) : memory + arithmetic);
}

/** A kind of device with the rates that its maker publishes. */
export interface NamedDevice {
  readonly name: string;
  readonly rates: Omit<Rates, 'launch'>;
  /** Milliseconds, at the least and at the most. */
  readonly launch: readonly [low: number, high: number];
  /** Where the rates are from. */
  readonly source: string;
}

/**
 * Peaks are what a maker claims, so that times are lower bounds; ratios are what the model is for.
 *
 * What a launch takes decides most of them. The high end is what is published for dispatches that
 * are submitted one by one: 24 to 36 µs on Vulkan, 32 to 71 µs on Metal (arXiv 2604.02344). Behind
 * one another in one pass they take less; the low end is a guess. Waits are assumed, a little longer
 * than where nothing is computed here: it is the browser's processes that wait for each other.
 */
export const devices: readonly NamedDevice[] = [
  {
    name: 'phone',
    rates: { bandwidth: 67.2e9, operations: 2.0e12, wait: 1, overlap: true },
    launch: [0.015, 0.07],
    source: 'Adreno 740: 67.2 GB/s (LPDDR5X); 2 TFLOP/s is an estimate, Qualcomm names none',
  },
  {
    name: 'integrated',
    rates: { bandwidth: 68.3e9, operations: 2.07e12, wait: 0.3, overlap: true },
    launch: [0.005, 0.05],
    source: 'Intel Iris Xe, 96 units at 1.35 GHz: 2.07 TFLOP/s, LPDDR4X-4266: 68.3 GB/s',
  },
  {
    name: 'laptop',
    rates: { bandwidth: 100e9, operations: 3.6e12, wait: 0.3, overlap: true },
    launch: [0.005, 0.07],
    source: 'Apple M2: 3.6 TFLOP/s, 100 GB/s',
  },
  {
    name: 'desktop',
    rates: { bandwidth: 504e9, operations: 29.15e12, wait: 0.3, overlap: true },
    launch: [0.005, 0.036],
    source: 'NVIDIA RTX 4070: 29.15 TFLOP/s, 504 GB/s',
  },
];

/** A number at the least and at the most of a device's launches. */
export function between(device: NamedDevice, of: (rates: Rates) => number): [number, number] {
  const [low, high] = device.launch.map((launch) => of({ ...device.rates, launch }));
  return [low ?? Number.NaN, high ?? Number.NaN];
}
