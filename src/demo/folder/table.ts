/** The table of a folder: a row a photo, whose text can be written in at any time. */
import { isGuess } from '../../index.ts';
import { make } from '../dom.ts';
import { percent, sentence } from '../format.ts';
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
  readonly alternatives: HTMLUListElement;
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
    const { element, text, alternatives, problem, verdict } = cells;
    element.dataset.state = row.edited ? 'edited' : row.state;
    element.setAttribute('aria-busy', String(row.state === 'looking'));
    // Whoever writes in it has it in the field already; setting it would move their cursor.
    if (text.value !== row.text) text.value = row.text;
    text.placeholder = placeholders[row.state];
    alternatives.replaceChildren(...this.#createAlternatives(row, text));
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
    // Roles are spelt out: on a narrow screen a row is laid out as a grid, which some readers take for no row.
    const picture = make('td', { class: 'stamp', role: 'cell' });
    const text = make('textarea', {
      rows: '2',
      'aria-label': `Text for ${row.path}`,
      spellcheck: 'true',
      lang: 'en',
    });
    const alternatives = make('ul', {
      class: 'others',
      role: 'list',
      'aria-label': `What else ${row.path} may be`,
    });
    const problem = make('p', { class: 'problem' });
    const verdict = make('td', { class: 'verdict', role: 'cell' });
    text.addEventListener('input', () => this.#edit(row, text.value));
    const element = make(
      'tr',
      { role: 'row' },
      picture,
      make('th', { scope: 'row', role: 'rowheader' }, row.path),
      make('td', { class: 'text', role: 'cell' }, text, alternatives, problem),
      verdict,
    );
    return { element, picture, text, alternatives, problem, verdict };
  }

  /** A person wrote this, or chose it. */
  #edit(row: Row, text: string): void {
    row.text = text;
    row.edited = true;
    this.update(row);
    this.#events.onEdit(row);
  }

  /** Of a guess, what else it may be, to be taken in its place. */
  #createAlternatives(row: Row, field: HTMLTextAreaElement): HTMLElement[] {
    const { caption, edited, path } = row;
    if (edited || !caption || !isGuess(caption.confidence, 'caption')) return [];
    const others = caption.alternatives?.filter(({ text }) => text !== '') ?? [];
    return others.map((other) => {
      const text = sentence(other.text);
      const name = `Take for ${path}: ${text}`;
      const button = make('button', { type: 'button', class: 'quiet', 'aria-label': name }, text);
      button.addEventListener('click', () => {
        field.focus(); // The button goes with the choice.
        this.#edit(row, text);
      });
      return make('li', {}, button);
    });
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
  if (!caption) return '';
  return isGuess(caption.confidence, 'caption')
    ? `Guess, ${percent(caption.confidence)}`
    : percent(caption.confidence);
}
