/** Visits by stage: medians of the cold and the warm ones, and what is left of the one in the other. */
import type { LoadTimes } from '../../src/index.ts';

/** Milliseconds of one visit: of loading by stage, and of what comes behind it. */
export interface VisitTimes extends LoadTimes {
  /** In the worker: what it takes longer than a later one is the first run. */
  readonly 'first caption': number;
  readonly 'later caption': number;
  /** From the navigation to the first caption's words. */
  readonly 'address to words': number;
}

/** In the order in which a profile goes through them. */
export const KINDS = ['cold', 'warm', 'warm again'] as const;

export type Kind = (typeof KINDS)[number];

/** A visit, and what the server sent for it. */
export interface Visit {
  readonly kind: Kind;
  readonly times: VisitTimes;
  readonly bytes: number;
}

/** The bar of warm to cold, in shares of the time to the first words. */
export const BAR = 0.4;

const STAGES: readonly (keyof VisitTimes)[] = [
  ...(['script', 'download', 'read', 'compile', 'upload', 'tune', 'total'] as const),
  ...(['first caption', 'later caption', 'address to words'] as const),
];

/** A table in Markdown, with a verdict below it. */
export function summary(visits: readonly Visit[]): string {
  const medianOf = (kind: Kind, of: (visit: Visit) => number) =>
    median(visits.filter((visit) => visit.kind === kind).map(of));
  const row = (name: string, of: (visit: Visit) => number, digits: number) => {
    const medians = KINDS.map((kind) => medianOf(kind, of));
    const [cold = 0, warm = 0] = medians;
    const share = cold > 0 ? (warm / cold).toFixed(2) : '–';
    return `| ${[name, ...medians.map((value) => value.toFixed(digits)), share].join(' | ')} |`;
  };
  const whole = ({ times }: Visit) => times['address to words'];
  const share = medianOf('warm', whole) / medianOf('cold', whole);
  return [
    `| median ms | ${KINDS.join(' | ')} | warm / cold |`,
    '|---|---|---|---|---|',
    ...STAGES.map((stage) => row(stage, ({ times }) => times[stage], 0)),
    row('MB from the server', ({ bytes }) => bytes / 1e6, 2),
    '',
    'Stages of a load overlap: kernels are compiled and weights uploaded while files come.',
    `A warm visit takes ${(100 * share).toFixed(0)} % of a cold one to its first words: ` +
      `${share <= BAR ? 'within' : 'beyond'} the bar of ${100 * BAR} %.`,
  ].join('\n');
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = Number.NaN, high = Number.NaN] = [sorted[middle - 1], sorted[middle]];
  return sorted.length % 2 === 1 ? high : (low + high) / 2;
}
