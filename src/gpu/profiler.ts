/** How long each dispatch takes, by the device's own clock. */
import { Buffers } from './buffers.ts';
import type { Step, Work } from './step.ts';

/** One dispatch of a plan. */
export interface Profiled {
  /** Label of its pipeline. */
  readonly kernel: string;
  readonly work: Work;
  /** Median of the runs. */
  readonly milliseconds: number;
}

/**
 * Runs the steps in order, `runs` times after a first one that does not count, each in a compute pass
 * of its own between two timestamps. Passes keep dispatches apart that would else overlap, so that
 * the sum is an upper bound of what the steps take together.
 *
 * @param repeats how often a step is dispatched in its pass: clocks may be coarse, 65 µs by Dawn's
 * default. No step may read what it writes.
 * @returns undefined if the device has no 'timestamp-query'
 */
export async function profile(
  device: GPUDevice,
  steps: readonly Step[],
  runs: number,
  repeats = 1,
): Promise<Profiled[] | undefined> {
  if (!device.features.has('timestamp-query')) return undefined;
  const count = 2 * steps.length;
  const buffers = new Buffers(device);
  const querySet = device.createQuerySet({ type: 'timestamp', count });
  const resolved = device.createBuffer({
    label: 'timestamps',
    size: 8 * count,
    usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
  });
  const readback = buffers.readback('timestamps', 8 * count);
  const times = steps.map((): number[] => []);
  try {
    for (let run = 0; run <= runs; run++) {
      const encoder = device.createCommandEncoder({ label: 'profile' });
      steps.forEach(({ pipeline, bindGroup, workgroups }, step) => {
        const pass = encoder.beginComputePass({
          timestampWrites: {
            querySet,
            beginningOfPassWriteIndex: 2 * step,
            endOfPassWriteIndex: 2 * step + 1,
          },
        });
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, bindGroup);
        for (let i = 0; i < repeats; i++) pass.dispatchWorkgroups(...workgroups);
        pass.end();
      });
      encoder.resolveQuerySet(querySet, 0, count, resolved, 0);
      encoder.copyBufferToBuffer(resolved, 0, readback, 0, 8 * count);
      device.queue.submit([encoder.finish()]);
      await readback.mapAsync(GPUMapMode.READ);
      const nanoseconds = new BigUint64Array(readback.getMappedRange().slice(0));
      readback.unmap();
      if (run === 0) continue;
      times.forEach((of, i) => {
        of.push(
          Number((nanoseconds[2 * i + 1] ?? 0n) - (nanoseconds[2 * i] ?? 0n)) / 1e6 / repeats,
        );
      });
    }
  } finally {
    querySet.destroy();
    resolved.destroy();
    buffers.destroy();
  }
  return steps.map(({ pipeline, work }, i) => {
    const sorted = (times[i] ?? []).toSorted((a, b) => a - b);
    return {
      kernel: pipeline.label,
      work,
      milliseconds: sorted[Math.floor(sorted.length / 2)] ?? Number.NaN,
    };
  });
}
