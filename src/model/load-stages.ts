/**
 * What loading is busy with, noted on the browser's own timeline (User Timing), where developer tools show
 * it too: whoever does the work need not know who asks how long it took.
 */

/** `LoadTimes` says what each is. */
export const LOAD_STAGES = ['download', 'read', 'compile', 'upload', 'tune'] as const;

export type LoadStage = (typeof LOAD_STAGES)[number];

/** Does `work`, and notes from when to when. */
export async function during<T>(stage: LoadStage, work: () => T | Promise<T>): Promise<T> {
  const start = performance.now();
  try {
    return await work();
  } finally {
    noteSince(start, stage);
  }
}

/** Notes that it was under way from `start`, a time of `performance.now()`, until now. */
export function noteSince(start: number, stage: LoadStage): void {
  performance.measure(nameOf(stage), { start, end: performance.now() });
}

/** Milliseconds in which at least one work of each stage was under way; what was noted is then forgotten. */
export function takeStages(): Record<LoadStage, number> {
  const times = LOAD_STAGES.map((stage) => {
    const name = nameOf(stage);
    const spans = performance
      .getEntriesByName(name, 'measure')
      .map(({ startTime, duration }) => ({ from: startTime, to: startTime + duration }));
    performance.clearMeasures(name);
    return [stage, covered(spans)] as const;
  });
  return Object.fromEntries(times) as Record<LoadStage, number>;
}

/** How much of the time the spans cover together. */
export function covered(spans: readonly { readonly from: number; readonly to: number }[]): number {
  let sum = 0;
  let end = Number.NEGATIVE_INFINITY;
  for (const { from, to } of spans.toSorted((a, b) => a.from - b.from)) {
    sum += Math.max(0, to - Math.max(from, end));
    end = Math.max(end, to);
  }
  return sum;
}

function nameOf(stage: LoadStage): string {
  return `narvl ${stage}`;
}
