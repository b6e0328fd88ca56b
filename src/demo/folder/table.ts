/** The table of a folder: a row a photo, whose text can be written in at any time. */
import { make } from '../dom.ts';
import { percent } from '../format.ts';
import type { Row } from './rows.ts';
import { createThumbnail } from './thumbnail.ts';

/** What a person does in the table. */
export interface TableEvents {
  /** The row's text was written in. */
  onEdit(row: Row): void;
}

/** A row's elements that change. */
interface Cells {
  readonly element: HTMLTableRowElement;
  readonly picture: HTMLTableCellElement;
  readonly text: HTMLTextAreaElement;
  readonly problem: HTMLElement;
  readonly verdict: HTMLTableCellElement;
}

export class FolderTable {
  readonly #body: HTMLTableSectionElement;
  readonly #events: TableEvents;
  readonly #cells = new Map<Row, Cells>();
  readonly #urls: string[] = [];
  /** One thumbnail after another. */
  #painting: Promise<void> = Promise.resolve();

  constructor(body: HTMLTableSectionElement, events: TableEvents) {
    this.#body = body;
    this.#events = events;
  }

  add(rows: readonly Row[]): void {
    for (const row of rows) {
      const cells = this.#createRow(row);
      this.#cells.set(row, cells);
      this.update(row);
    }
    this.#body.append(...rows.flatMap((row) => this.#cells.get(row)?.element ?? []));
  }

  /** Show what has become of a row. */
  update(row: Row): void {
    const cells = this.#cells.get(row);
    if (!cells) return;
    const { element, text, problem, verdict } = cells;
    element.dataset.state = row.edited ? 'edited' : row.state;
    element.setAttribute('aria-busy', String(row.state === 'looking'));
    // Whoever writes in it has it in the field already; setting it would move their cursor.
    if (text.value !== row.text) text.value = row.text;
    text.placeholder = placeholders[row.state];
    problem.hidden = row.error === undefined;
    problem.replaceChildren(
      ...(row.error ? [make('code', {}, row.error.code), ` ${row.error.message}`] : []),
    );
    verdict.textContent = verdictOf(row);
    if (row.caption) this.#paint(row, cells);
  }

  /** Take all rows off the page and let go of their pictures. */
  clear(): void {
    this.#cells.clear();
    this.#body.replaceChildren();
    for (const url of this.#urls.splice(0)) URL.revokeObjectURL(url);
  }

  #createRow(row: Row): Cells {
    const picture = make('td', { class: 'stamp' });
    const text = make('textarea', {
      rows: '2',
      'aria-label': `Text for ${row.path}`,
      spellcheck: 'true',
      lang: 'en',
    });
    const problem = make('p', { class: 'problem' });
    const verdict = make('td', { class: 'verdict' });
    text.addEventListener('input', () => {
      row.text = text.value;
      row.edited = true;
      this.update(row);
      this.#events.onEdit(row);
    });
    const element = make(
      'tr',
      {},
      picture,
      make('th', { scope: 'row' }, row.path),
      make('td', { class: 'text' }, text, problem),
      verdict,
    );
    return { element, picture, text, problem, verdict };
  }

  /** The photo's small picture, once. */
  #paint({ photo: { source } }: Row, { picture }: Cells): void {
    if (typeof source === 'string' || picture.dataset.painted) return;
    picture.dataset.painted = 'true';
    this.#painting = this.#painting.then(async () => {
      if (!picture.isConnected) return;
      const url = await createThumbnail(source);
      if (!url) return;
      if (!picture.isConnected) return URL.revokeObjectURL(url);
      this.#urls.push(url);
      // The row says what it is.
      picture.append(make('img', { src: url, alt: '' }));
    });
  }
}

const placeholders: Readonly<Record<Row['state'], string>> = {
  waiting: 'Waiting',
  looking: 'Looking',
  done: 'No words',
  failed: '',
};

function verdictOf({ state, edited, caption }: Row): string {
  if (edited) return 'Yours';
  if (state === 'failed') return 'Failed';
  return caption ? percent(caption.confidence) : '';
}
