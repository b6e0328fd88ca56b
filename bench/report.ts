/** What a run of the bench says: plain data, which crosses workers and is kept as JSON. */
import type { AdapterDescription } from '../src/gpu/device.ts';
import type { Failed, Timed } from './measure.ts';
import { devices } from './model.ts';
import type { Rates } from './rates/rates.ts';

/** Contenders that were timed against each other. */
export interface Section {
  readonly title: string;
  /** What is timed, from where to where. */
  readonly note: string;
  /** Ratios are to the first that was wanted. */
  readonly timed: readonly Timed[];
  /** Contenders that could not be run here, and why. */
  readonly failed: readonly Failed[];
}

/** All dispatches of one kernel in a pass. */
export interface KernelShare {
  readonly kernel: string;
  readonly dispatches: number;
  readonly milliseconds: number;
  /** Of the time, what bandwidth or arithmetic would take at the adapter's own rates. */
  readonly roofline: number;
  readonly bound: 'memory' | 'arithmetic';
}

/** One ratio that the cost model predicts. */
export interface Prediction {
  readonly name: string;
  /** By device, at its lowest and its highest launch time. */
  readonly ratios: Readonly<Record<string, readonly [number, number]>>;
  /** On the adapter at hand, by the rates that were measured on it. */
  readonly here: number;
  readonly measured: number | undefined;
}

/** A whole run. */
export interface Report {
  readonly date: string;
  readonly userAgent: string;
  readonly adapter: AdapterDescription;
  readonly rates: Rates;
  readonly sections: readonly Section[];
  /** Of a pass over one image, if the adapter has timestamps. */
  readonly kernels: readonly KernelShare[] | undefined;
  /** Of what comes before the pass, 'vision' or 'fusion' in front of each name; likewise. */
  readonly encoding?: readonly KernelShare[] | undefined;
  readonly predictions: readonly Prediction[];
}

/** The report as Markdown, for a terminal and for BENCHMARKS.md. */
export function toMarkdown(report: Report): string {
  const { adapter, rates } = report;
  return [
    `${report.date}, ${report.userAgent}`,
    '',
    `Adapter: ${[adapter.vendor, adapter.architecture, adapter.description].filter(Boolean).join(' ')}` +
      `${adapter.software ? ' (software)' : ''}; a plain copy ${(rates.bandwidth / 1e9).toFixed(1)} GB/s, ` +
      `a plain product ${(rates.operations / 1e9).toFixed(1)} GFLOP/s, ` +
      `a launch ${(1000 * rates.launch).toFixed(0)} µs, a wait ${rates.wait.toFixed(2)} ms`,
    ...report.sections.flatMap((section) => ['', ...sectionLines(section)]),
    ...(report.kernels ? ['', ...kernelLines(report.kernels)] : []),
    ...(report.encoding ? ['', ...encodingLines(report.encoding)] : []),
    ...(report.predictions.length > 0 ? ['', ...predictionLines(report.predictions)] : []),
    '',
  ].join('\n');
}

export function sectionLines({ title, note, timed, failed }: Section): string[] {
  return [
    `### ${title}`,
    '',
    note,
    '',
    ...table(
      ['contender', 'median ms', '10–90 %', 'ratio', 'dispatches', 'submits', 'bytes read'],
      [
        ...timed.map(({ name, median, spread, ratio, cost }) => [
          name,
          milliseconds(median),
          spread.map(milliseconds).join('–'),
          ratio === undefined ? '' : ratio.toFixed(2),
          ...(cost ? [cost.dispatches, cost.submits, cost.bytesRead].map(String) : ['', '', '']),
        ]),
        ...failed.map(({ name, reason }) => [
          name,
          `not run: ${reason.slice(0, 200)}`,
          '',
          '',
          '',
          '',
          '',
        ]),
      ],
    ),
  ];
}

function kernelLines(kernels: readonly KernelShare[]): string[] {
  const total = sum(kernels, ({ milliseconds }) => milliseconds);
  return [
    '### Kernels of a pass',
    '',
    "By the adapter's timestamps, each dispatch in a pass of its own. Roofline: the share of the time",
    'that memory or arithmetic would take at the rates of the plain copy and product above.',
    '',
    ...table(
      ['kernel', 'dispatches', 'µs', 'of the pass', 'roofline', 'bound by'],
      kernels.map((kernel) => [
        kernel.kernel,
        String(kernel.dispatches),
        (1000 * kernel.milliseconds).toFixed(0),
        percent(kernel.milliseconds / total),
        percent(kernel.roofline),
        kernel.bound,
      ]),
    ),
  ];
}

/** Vision alone has dozens of kernels, so that they are put together by kind. */
function encodingLines(kernels: readonly KernelShare[]): string[] {
  const total = sum(kernels, ({ milliseconds }) => milliseconds);
  const kindOf = ({ kernel }: KernelShare) => {
    const [part, name = ''] = kernel.split(': ');
    const kind = ['linear', 'depthwise', 'attention'].find((word) => name.includes(word));
    return `${part}: ${kind === 'linear' ? 'products' : (kind ?? 'the others')}`;
  };
  const kinds = [...new Set(kernels.map(kindOf))];
  return [
    '### Kernels before the pass',
    '',
    ...table(
      ['kernels', 'dispatches', 'µs', 'of all before', 'roofline'],
      kinds.map((kind) => {
        const of = kernels.filter((kernel) => kindOf(kernel) === kind);
        const time = sum(of, ({ milliseconds }) => milliseconds);
        const bound = sum(of, ({ milliseconds, roofline }) => milliseconds * roofline);
        return [
          kind,
          String(sum(of, ({ dispatches }) => dispatches)),
          (1000 * time).toFixed(0),
          percent(time / total),
          percent(bound / time),
        ];
      }),
    ),
  ];
}

function predictionLines(predictions: readonly Prediction[]): string[] {
  const names = Object.keys(predictions[0]?.ratios ?? {});
  return [
    '### By the cost model',
    '',
    ...devices.map(({ name, source, launch, rates }) => {
      const [low, high] = launch.map((of) => 1000 * of);
      return `- ${name}: ${source}; a launch ${low} to ${high} µs, a wait ${rates.wait} ms, assumed`;
    }),
    '',
    ...table(
      ['ratio', ...names, 'here, predicted', 'here, measured'],
      predictions.map(({ name, ratios, here, measured }) => [
        name,
        ...names.map((device) => (ratios[device] ?? []).map((of) => of.toFixed(1)).join('–')),
        here.toFixed(2),
        measured === undefined ? '' : measured.toFixed(2),
      ]),
    ),
  ];
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}

function milliseconds(value: number): string {
  return value < 10 ? value.toFixed(2) : value.toFixed(0);
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}
