/** Where each word looked: its words to choose from, and a light on the photo. */
import type { Attention, TextWord } from '../index.ts';
import { make } from './dom.ts';

/** How dark the photo gets where a word did not look at all. */
const SHADE = 0.78;

/** The words with the light that they move. */
export interface Gaze {
  readonly element: HTMLElement;
  /** Lies over the photo. */
  readonly light: HTMLCanvasElement;
  /** Let another element show a word's light while the pointer is on it. */
  follow(element: HTMLElement, word: number): void;
}

export function createGaze(words: readonly TextWord[], attention: Attention): Gaze {
  const light = make('canvas', { class: 'light', 'aria-hidden': 'true' });
  const [x0, y0, x1, y1] = attention.edges;
  // As many of its pixels as cells: beside a part that was looked at there are more of either.
  light.width = Math.round(attention.columns / (x1 - x0));
  light.height = Math.round(attention.rows / (y1 - y0));
  const buttons = words.map(({ text }) =>
    make('button', { type: 'button', class: 'quiet', 'aria-pressed': 'false' }, text),
  );
  let chosen: number | undefined;

  function show(word = chosen): void {
    light.classList.toggle('on', word !== undefined);
    const pieces = words[word ?? -1]?.pieces.map((piece) => attention.tokens[piece] ?? []);
    if (pieces) paint(light, mean(pieces), attention);
  }

  function follow(element: HTMLElement, word: number): void {
    element.addEventListener('pointerenter', () => show(word));
    element.addEventListener('pointerleave', () => show());
  }

  for (const [word, button] of buttons.entries()) {
    follow(button, word);
    button.addEventListener('focus', () => show(word));
    button.addEventListener('blur', () => show());
    button.addEventListener('click', () => {
      chosen = chosen === word ? undefined : word;
      for (const [i, other] of buttons.entries()) {
        other.setAttribute('aria-pressed', String(i === chosen));
      }
      show();
    });
  }
  const element = make(
    'section',
    { class: 'gaze', 'aria-label': 'Where each word looked' },
    make('h4', {}, 'Where each word looked'),
    make('ul', { role: 'list' }, ...buttons.map((button) => make('li', {}, button))),
  );
  return { element, light, follow };
}

/** Of several pieces' cells. */
function mean(pieces: readonly (readonly number[])[]): number[] {
  const [first = []] = pieces;
  return first.map(
    (_, cell) => pieces.reduce((sum, cells) => sum + (cells[cell] ?? 0), 0) / pieces.length,
  );
}

/** Dark where no one looked; the browser smooths between the cells. */
function paint(
  light: HTMLCanvasElement,
  cells: readonly number[],
  { rows, columns, edges: [x0, y0] }: Attention,
): void {
  const context = light.getContext('2d');
  if (!context) return;
  const { width, height } = light;
  const most = Math.max(...cells);
  const image = context.createImageData(columns, rows);
  for (const [i, cell] of cells.entries()) {
    image.data[4 * i + 3] = 255 * SHADE * (1 - cell / most);
  }
  context.clearRect(0, 0, width, height);
  context.fillStyle = `rgb(0 0 0 / ${SHADE})`;
  context.fillRect(0, 0, width, height);
  context.putImageData(image, Math.round(x0 * width), Math.round(y0 * height));
}
