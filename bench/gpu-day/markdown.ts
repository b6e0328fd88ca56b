/** A day as tables, and its place in BENCHMARKS.md. */
import { type Report, sectionLines, table, toMarkdown } from '../report.ts';
import type { FileResult } from './kernel-tests.ts';
import type { AdapterData, NetworkData, TuningData } from './parts.ts';
import type { Day } from './results.ts';
import type { PartResult, StageResult } from './stages.ts';

/** Tables under the adapter's name. */
export interface DayTable {
  /** What one adapter's days are told from another's by. */
  readonly adapter: string;
  readonly markdown: string;
}

/** @throws Error if no adapter was found that day. */
export function dayTable(day: Day): DayTable {
  const parts = (name: string): readonly PartResult[] =>
    day.stages.find((stage) => stage.name === name)?.parts ?? [];
  const adapters = parts('adapter').filter(({ state }) => state === 'done');
  const data = adapters.map((part) => part.data as AdapterData);
  const found = data.find(({ adapter }) => !adapter.software) ?? data[0];
  if (!found) throw new Error('the day found no adapter: there is nothing to take');
  const { vendor, architecture, description, software } = found.adapter;
  const adapter = `${[vendor, architecture, description].filter(Boolean).join(' ')}${software ? ' (software)' : ''}`;
  const { processor, cores, node, nvidia } = day.machine;
  const lines = [
    `## A day with ${adapter}`,
    '',
    `${day.begun.slice(0, 10)}, commit ${day.commit}; ${nvidia ? `${nvidia}; ` : ''}${processor}, ${cores} cores, Node ${node}.`,
    `Features: ${found.features.join(', ')}.`,
    '',
    ...stageLines(day.stages),
    ...kernelTestLines(parts('kernels')),
    ...parts('network').flatMap(({ data }) => networkLines(data as NetworkData | undefined)),
    ...parts('tuning').flatMap(({ data }) => tuningLines(data as TuningData | undefined)),
    ...parts('bench').flatMap(({ data }) =>
      data === undefined ? [] : ['', toMarkdown(data as Report).trimEnd()],
    ),
    ...parts('paper').flatMap(({ data }) =>
      ((data ?? []) as Report['sections']).flatMap((section) => ['', ...sectionLines(section)]),
    ),
  ];
  return { adapter, markdown: lines.join('\n') };
}

/** Puts the tables where this adapter's were, or at the end; who takes a day twice has it once. */
export function takeInto(benchmarks: string, { adapter, markdown }: DayTable): string {
  const [begin, end] = [`<!-- gpu-day: ${adapter} -->`, `<!-- /gpu-day: ${adapter} -->`];
  const block = `${begin}\n${markdown}\n${end}`;
  const [at, to] = [benchmarks.indexOf(begin), benchmarks.indexOf(end)];
  if (at < 0 && to < 0) return `${benchmarks.trimEnd()}\n\n${block}\n`;
  if (at < 0 || to < at) {
    throw new Error(`expected ${begin} before ${end}, got one of them or another order`);
  }
  return benchmarks.slice(0, at) + block + benchmarks.slice(to + end.length);
}

function stageLines(stages: readonly StageResult[]): string[] {
  return table(
    ['stage', 's', 'what became of it'],
    stages.map(({ name, parts }) => [
      name,
      parts.reduce((sum, { seconds }) => sum + seconds, 0).toFixed(0),
      [...new Set(parts.map(({ state }) => state))]
        .map((state) => {
          const those = parts.filter((part) => part.state === state);
          const reasons = [...new Set(those.flatMap(({ reason }) => reason ?? []))].join('; ');
          const count = parts.length > 1 ? `${those.length} ` : '';
          return `${count}${state}${reasons ? `: ${clean(reasons)}` : ''}`;
        })
        .join(', '),
    ]),
  );
}

function kernelTestLines(parts: readonly PartResult[]): string[] {
  if (parts.length === 0) return [];
  return [
    '',
    '### Kernel tests on its driver',
    '',
    ...table(
      ['file', 'passed', 'failed', 's', ''],
      parts.map(({ name, data, seconds, state, reason }) => {
        const { tests, running } = (data ?? { tests: [] }) as FileResult;
        const failed = tests.filter((test) => test.state === 'failed');
        const [first] = failed;
        const notes = [
          ...(state === 'done' ? [] : [reason ?? state]),
          ...(state === 'timed out' && running ? [`in ${running}`] : []),
          ...(first ? [`${first.name}: ${first.message ?? ''}`] : []),
        ];
        return [
          name,
          String(tests.length - failed.length),
          String(failed.length),
          seconds.toFixed(0),
          clean(notes.join('; ')),
        ];
      }),
    ),
  ];
}

function networkLines(data: NetworkData | undefined): string[] {
  if (!data) return [];
  const { photos, timings, predicted } = data;
  const [one] = timings?.timed ?? [];
  const sixteen = timings?.timed.find(({ name }) => name.startsWith('16 '));
  return [
    '',
    '### From pixels to words in one submit',
    '',
    ...table(
      ['photograph', 'words', 'slots as in plain TypeScript', 'log probabilities differ by'],
      photos.map(({ name, text, same, slots, worst }) => [
        name,
        clean(text),
        `${same} of ${slots}`,
        worst.toExponential(1),
      ]),
    ),
    ...(timings ? ['', ...sectionLines(timings)] : []),
    ...(predicted !== undefined && one
      ? [
          '',
          `By the cost model at the adapter's rates a caption takes ${predicted.toFixed(2)} ms; ` +
            `it took ${one.median.toFixed(2)}.` +
            (sixteen?.ratio
              ? ` Images a second, 16 at once / 1: ${(16 / sixteen.ratio).toFixed(1)}.`
              : ''),
        ]
      : []),
  ];
}

function tuningLines(data: TuningData | undefined): string[] {
  if (!data) return [];
  return [
    '',
    '### What tuning chose',
    '',
    ...table(
      ['cut', 'median ms of a pass'],
      Object.entries(data.milliseconds).map(([name, time]) => [
        name === data.chosen ? `**${name}**` : name,
        time.toFixed(2),
      ]),
    ),
  ];
}

/** What may stand in a table's cell. */
function clean(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll('|', '/').slice(0, 300);
}
