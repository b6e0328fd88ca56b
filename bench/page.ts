/** The bench's page: runs it in a worker, draws what it says, keeps it as a file and opens others'. */
import * as Plot from '@observablehq/plot';
import { proxy, wrap } from 'comlink';
import type { Timed } from './measure.ts';
import { type Report, type Section, toMarkdown } from './report.ts';
import type { Wanted } from './run.ts';
import type { BenchWorker } from './worker.ts';

declare global {
  /** For `npm run bench`, which drives this page. */
  var narvlBench: {
    run(wanted: Wanted, onProgress: (what: string) => void): Promise<Report>;
  };
}

const element = <T extends Element>(selector: string): T => {
  const found = document.querySelector<T>(selector);
  if (!found) throw new Error(`The page has no ${selector}`);
  return found;
};

const status = element<HTMLElement>('#status');
const results = element<HTMLElement>('#results');
const start = element<HTMLButtonElement>('#start');
const save = element<HTMLButtonElement>('#save');
const open = element<HTMLInputElement>('#open');
let shown: Report | undefined;

globalThis.narvlBench = {
  run: (wanted, onProgress) => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
    const failed = new Promise<never>((_, reject) => {
      // An event without a message is of a script that did not load.
      worker.addEventListener('error', ({ message = "the worker's script could not be loaded" }) =>
        reject(new Error(message)),
      );
      worker.addEventListener('messageerror', () => reject(new Error('A message was unreadable')));
    });
    const bench = wrap<BenchWorker>(worker);
    const model = new URL('models/narvl-photo/', document.baseURI).href;
    const report = bench.run(model, wanted, proxy(onProgress));
    return Promise.race([report, failed]).finally(() => worker.terminate());
  },
};

start.addEventListener('click', async () => {
  start.disabled = true;
  try {
    const wanted = { rounds: 11, paper: element<HTMLInputElement>('#paper').checked };
    show(await narvlBench.run(wanted, say));
  } catch (error) {
    say(`It stopped: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    start.disabled = false;
  }
});

save.addEventListener('click', () => {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([JSON.stringify(shown, null, 2)]));
  link.download = `narvl-bench-${shown?.date}.json`;
  link.click();
  URL.revokeObjectURL(link.href);
});

open.addEventListener('change', async () => {
  const [file] = open.files ?? [];
  if (!file) return;
  open.value = ''; // So that choosing the same report again is a change too.
  try {
    show(JSON.parse(await file.text()) as Report);
  } catch {
    say(`${file.name} is no report of this bench`);
  }
});

function say(what: string): void {
  status.textContent = what;
}

/** @throws TypeError if it is no report. */
function show(report: Report): void {
  const text = document.createElement('pre');
  text.textContent = toMarkdown(report);
  const details = document.createElement('details');
  const summary = document.createElement('summary');
  summary.textContent = 'All numbers';
  details.append(summary, text);
  results.replaceChildren(...report.sections.flatMap(drawn), details);
  shown = report;
  save.disabled = false;
  say(`${report.adapter.vendor} ${report.adapter.architecture}, ${report.date}`);
}

/** A section's runs as dots, its medians as ticks. */
function drawn({ title, note, timed }: Section): Element[] {
  const heading = document.createElement('h2');
  heading.textContent = title;
  const explained = document.createElement('p');
  explained.textContent = note;
  const runs = timed.flatMap(({ name, milliseconds }) =>
    milliseconds.map((time) => ({ name, time })),
  );
  const plot = Plot.plot({
    marginLeft: 280,
    marginRight: 70,
    inset: 8,
    width: 860,
    x: { type: 'log', label: 'milliseconds', grid: true },
    y: { label: null, domain: timed.map(({ name }) => name) },
    marks: [
      Plot.dot(runs, { x: 'time', y: 'name', fillOpacity: 0.3, fill: 'currentColor', r: 2.5 }),
      Plot.tickX(timed, { x: 'median', y: 'name', stroke: 'var(--accent)', strokeWidth: 3 }),
      Plot.text(timed, {
        y: 'name',
        text: ({ ratio }: Timed) => (ratio === undefined ? '' : `${ratio.toFixed(2)} ×`),
        frameAnchor: 'right',
        textAnchor: 'end',
        dx: 60,
      }),
    ],
  });
  // One picture to who cannot see it; its numbers stand below, and groups without a role may have no label.
  for (const group of plot.querySelectorAll('g[aria-label]')) group.removeAttribute('aria-label');
  plot.setAttribute('role', 'img');
  plot.setAttribute('aria-label', `${title}: every contender's milliseconds`);
  return [heading, explained, plot];
}
