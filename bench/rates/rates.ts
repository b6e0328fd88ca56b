/** What the adapter at hand can do at best, measured by the plainest kernels there are. */
import { allocate } from '../../src/gpu/buffers.ts';
import { bind, compile, encodeSteps, type Step } from '../../src/gpu/step.ts';
import { quantile } from '../measure.ts';
import copyCode from './copy.wgsl?raw';
import productCode from './product.wgsl?raw';

/** A device's rates. */
export interface Rates {
  /** Bytes read and written, a second. */
  readonly bandwidth: number;
  /** f32 operations a second. */
  readonly operations: number;
  /** Milliseconds that a dispatch takes beside its work, one behind another in a pass. */
  readonly launch: number;
  /** Whether memory is read while arithmetic goes on; an adapter that is a CPU does one at a time. */
  readonly overlap: boolean;
  /** Milliseconds from a submit without work to its result on the CPU. */
  readonly wait: number;
}

const RUNS = 7;
/** What copy.wgsl copies by one row of workgroups. */
const ROW_BYTES = 64 * 64 * 16;

/** Measures them; about a second on a software adapter. */
export async function measureRates(device: GPUDevice, software: boolean): Promise<Rates> {
  // Large enough to leave caches and to hide what a submit takes, where the device binds so much.
  const { maxStorageBufferBindingSize, maxBufferSize } = device.limits;
  const most = Math.min(maxStorageBufferBindingSize, maxBufferSize);
  const rows = Math.min(software ? 256 : 4096, Math.floor(most / ROW_BYTES));
  const side = software ? 512 : 2048;
  // A fast GPU is through with one in a tenth of a millisecond, about what clocks are off by.
  const many = software ? 4 : 16;
  const { buffers, x, y, w, readback } = await allocate(device, (made) => ({
    buffers: made,
    x: made.storage('x', (rows * ROW_BYTES) / 4),
    y: made.storage('y', (rows * ROW_BYTES) / 4),
    w: made.storage('w', side * side),
    readback: made.readback('one number', 4),
  }));
  try {
    const work = { operations: 0, numbers: 0 };
    const [copy, product] = await Promise.all([
      compile(device, 'copy', copyCode, {}),
      compile(device, 'product', productCode, { INPUTS: side, OUTPUTS: side }),
    ]);
    const copying = bind(device, copy, [x, y], [64, rows, 1], work);
    const multiplying = bind(device, product, [x, w, y], [side / 4 / 64, side / 4, 1], work);
    const launching = bind(device, copy, [x, y], [1, 1, 1], work);

    const time = async (steps: readonly Step[]): Promise<number> => {
      const start = performance.now();
      const encoder = device.createCommandEncoder();
      encodeSteps(encoder, steps);
      encoder.copyBufferToBuffer(y, 0, readback, 0, 4);
      device.queue.submit([encoder.finish()]);
      await readback.mapAsync(GPUMapMode.READ);
      readback.unmap();
      return performance.now() - start;
    };
    const median = async (steps: readonly Step[]): Promise<number> => {
      await time(steps);
      const times: number[] = [];
      for (let run = 0; run < RUNS; run++) times.push(await time(steps));
      return quantile(times, 0.5);
    };
    /** Milliseconds of one of many. */
    const one = async (step: Step, many: number): Promise<number> => {
      const few = await median([step]);
      return ((await median(new Array<Step>(1 + many).fill(step))) - few) / many;
    };
    return {
      bandwidth: (2 * rows * ROW_BYTES * 1000) / (await one(copying, many)),
      operations: (2 * side ** 3 * 1000) / (await one(multiplying, many)),
      launch: await one(launching, 200),
      overlap: !software,
      wait: await median([]),
    };
  } finally {
    buffers.destroy();
  }
}
