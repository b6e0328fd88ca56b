/** A folder of photos on the page: its table, how far it is, and the files that it can be saved as. */
import { announce } from '../announcer.ts';
import { byId } from '../dom.ts';
import { count } from '../format.ts';
import type { Photo } from '../photo.ts';
import { type Export, toCsv, toHtml, toJson } from './export.ts';
import type { Row } from './rows.ts';
import { Run, type WriteCaption } from './run.ts';
import { saveFile } from './save-file.ts';
import { FolderTable } from './table.ts';
import { Pace, timeLeft } from './time-left.ts';

const exports: readonly (readonly [id: string, write: (rows: readonly Row[]) => Export])[] = [
  ['folder-csv', toCsv],
  ['folder-json', toJson],
  ['folder-html', toHtml],
];

export class Folder {
  readonly #write: WriteCaption;
  readonly #section = byId('folder', HTMLElement);
  readonly #state = byId('folder-state', HTMLParagraphElement);
  readonly #bar = byId('folder-progress', HTMLProgressElement);
  readonly #stop = byId('folder-stop', HTMLButtonElement);
  readonly #table = new FolderTable(byId('folder-rows', HTMLTableSectionElement), {
    onEdit: () => this.#show(),
  });
  #run: Run;
  #pace = new Pace();
  /** How far it was when that was last said, in quarters. */
  #said = 0;

  /** @param write writes a photo's caption, behind whatever else is asked */
  constructor(write: WriteCaption) {
    this.#write = write;
    this.#run = this.#createRun();
    this.#stop.addEventListener('click', () => this.#stopOrGoOn());
    byId('folder-close', HTMLButtonElement).addEventListener('click', () => this.#close());
    for (const [id, write] of exports) {
      byId(id, HTMLButtonElement).addEventListener('click', () => saveFile(write(this.#run.rows)));
    }
  }

  /** Caption these photos, below those that are in the table. */
  add(photos: readonly Photo[]): void {
    this.#section.hidden = false;
    this.#said = 0; // Of another sum.
    this.#table.add(this.#run.add(photos));
    this.#show();
    this.#section.scrollIntoView({ block: 'start' });
    announce(
      photos.length > 0
        ? `${count(photos.length, 'photo')} added to the table`
        : 'There are no pictures in this folder',
    );
  }

  #createRun(): Run {
    const run = new Run(this.#write, (row) => {
      if (run !== this.#run) return; // The table was closed under its way.
      if (row.state === 'done' || row.state === 'failed') this.#pace.done(performance.now());
      this.#table.update(row);
      this.#show();
    });
    return run;
  }

  #stopOrGoOn(): void {
    this.#pace = new Pace(); // The pause is not the photos' time.
    if (this.#run.stopped || this.#left === 0) this.#run.resume();
    else this.#run.stop();
    this.#show();
  }

  #close(): void {
    this.#run.stop();
    this.#run = this.#createRun();
    this.#pace = new Pace();
    this.#table.clear();
    this.#section.hidden = true;
    byId('choose-folder', HTMLButtonElement).focus();
  }

  get #left(): number {
    return this.#run.rows.length - this.#run.settled;
  }

  /** How far it is, and what can be done about it. */
  #show(): void {
    const { rows, settled, stopped, passing } = this.#run;
    const failed = rows.filter(({ state }) => state === 'failed').length;
    const time = stopped ? undefined : this.#pace.left(this.#left);
    this.#bar.max = Math.max(1, rows.length);
    this.#bar.value = settled;
    this.#state.textContent = [
      rows.length > 0
        ? `${settled} of ${count(rows.length, 'photo')}`
        : 'There are no pictures in this folder',
      ...(failed > 0 ? [`${failed} failed`] : []),
      ...(stopped && this.#left > 0 ? ['stopped'] : []),
      ...(time !== undefined && this.#left > 0 ? [timeLeft(time)] : []),
    ].join(' · ');
    this.#stop.textContent =
      this.#left === 0 ? 'Try failed ones again' : stopped ? 'Go on' : 'Stop';
    const over = this.#left === 0 && passing === 0;
    // The button would take the focus with it.
    if (over && document.activeElement === this.#stop)
      byId('folder-csv', HTMLButtonElement).focus();
    this.#stop.hidden = over;
    this.#announce(settled, rows.length, failed);
  }

  /** Each quarter, not each photo: whoever listens does something else meanwhile. */
  #announce(settled: number, all: number, failed: number): void {
    const quarter = Math.floor((4 * settled) / Math.max(1, all));
    if (quarter <= this.#said) return;
    this.#said = quarter;
    const done = settled === all ? `All ${count(all, 'photo')} done` : `${settled} of ${all} done`;
    announce(failed > 0 ? `${done}, ${failed} failed` : done);
  }
}
