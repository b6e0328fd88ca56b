/** The panel under a picture: a field with the suggested text, and what can be done with it. */
import type { Progress } from '../index.ts';
import { excessOf, SOFT_LENGTH } from './alt.ts';
// As it is: a build for older browsers would replace `light-dark()` by variables that nobody sets.
import styles from './panel.css?raw';
import type { WidgetTexts } from './texts.ts';

/** What the panel's user can do. */
export type Action = 'use' | 'another' | 'dismiss' | 'retry';

/** A text to offer, and what to say of it. */
export interface Offer {
  readonly text: string;
  /** 0…1 */
  readonly confidence: number;
  /** Whether that is little. */
  readonly guess: boolean;
  /** Whether there is another one to go on to. */
  readonly others: boolean;
}

let sheet: CSSStyleSheet | undefined;

/** The one style sheet of all panels: a constructed one, which a policy against inline styles permits. */
function styleSheet(): CSSStyleSheet {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(styles);
  }
  return sheet;
}

/** A shadow root that shows the element's own content, and styles what is added to it. */
export function createRoot(host: HTMLElement): ShadowRoot {
  const root = host.attachShadow({ mode: 'open' });
  root.adoptedStyleSheets = [styleSheet()];
  root.append(document.createElement('slot'));
  return root;
}

/** Draws; what is clicked or typed goes to `onAction`. */
export class Panel {
  readonly #texts: WidgetTexts;
  readonly #element: HTMLElement;
  readonly #status = make('p', { part: 'status' });
  readonly #bar = make('progress', { part: 'bar', max: '1' });
  readonly #field: HTMLTextAreaElement;
  readonly #note = make('p', { part: 'note', id: 'note' });
  readonly #form: HTMLElement;
  readonly #controls: Readonly<Record<Action, HTMLElement>>;
  /** What is to be said of the text besides its length. */
  #remark = '';

  constructor(root: ShadowRoot, texts: WidgetTexts, onAction: (action: Action) => void) {
    this.#texts = texts;
    this.#bar.setAttribute('aria-label', texts.preparing);
    this.#field = make('textarea', {
      part: 'field',
      id: 'field',
      rows: '2',
      dir: 'auto',
      'aria-describedby': 'note',
    });
    this.#field.addEventListener('input', () => this.#showNote());
    this.#field.addEventListener('keydown', (event) => {
      if (event.isComposing || event.shiftKey) return;
      if (event.key === 'Enter') onAction('use');
      else if (event.key === 'Escape') onAction('dismiss');
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    const control = (action: Action) => {
      const button = make('button', { type: 'button', part: `button ${action}` }, texts[action]);
      // A slot has no box that could be hidden with what stands in it.
      const place = make('span', { class: 'control' }, make('slot', { name: action }, button));
      place.addEventListener('click', () => onAction(action));
      return place;
    };
    this.#controls = {
      use: control('use'),
      retry: control('retry'),
      another: control('another'),
      dismiss: control('dismiss'),
    };
    this.#form = make(
      'div',
      { part: 'form' },
      make('label', { part: 'label', for: 'field' }, make('slot', { name: 'label' }, texts.label)),
      this.#field,
      this.#note,
      make('div', { part: 'controls' }, ...Object.values(this.#controls)),
    );
    this.#element = make(
      'div',
      { part: 'panel', role: 'group', 'aria-label': texts.panel },
      this.#status,
      this.#bar,
      this.#form,
    );
    this.#element.hidden = true;
    root.append(this.#element);
  }

  /** What stands in the field. */
  get text(): string {
    return this.#field.value;
  }

  /** Whether somebody is at work in it. */
  get focused(): boolean {
    return this.#element.matches(':focus-within');
  }

  focusField(): void {
    this.#field.focus();
  }

  hide(): void {
    this.#element.hidden = true;
  }

  /** How far the model is that is waited for. */
  showProgress({ stage, loaded, total }: Progress): void {
    const counted = stage === 'download' && total > 0;
    this.#showStatus(
      counted ? this.#texts.loading(loaded / 1e6, total / 1e6) : this.#texts.preparing,
    );
    // Without a value the bar says that something happens, not how much is left.
    if (counted) this.#bar.value = loaded / total;
    else this.#bar.removeAttribute('value');
  }

  showLooking(): void {
    this.#showStatus(this.#texts.looking);
    this.#bar.removeAttribute('value');
  }

  showOffer({ text, confidence, guess, others }: Offer): void {
    const say = guess ? this.#texts.unsure : this.#texts.confidence;
    this.#showForm('offer', text, say(confidence));
    this.#controls.another.hidden = !others;
  }

  /** Why there is no text; the field is empty, for who writes one, and it can be tried again. */
  showFailure(message: string): void {
    this.#showForm('failure', '', this.#texts.failed(message));
    this.#controls.another.hidden = true;
  }

  /** Put another text into the field. */
  replaceText(text: string): void {
    this.#field.value = text;
    this.#showNote();
  }

  #showStatus(text: string): void {
    this.#element.hidden = false;
    this.#element.setAttribute('aria-busy', 'true');
    this.#form.hidden = true;
    this.#status.hidden = false;
    this.#bar.hidden = false;
    this.#status.textContent = text;
  }

  #showForm(kind: 'offer' | 'failure', text: string, remark: string): void {
    this.#element.hidden = false;
    this.#element.setAttribute('aria-busy', 'false');
    this.#status.hidden = true;
    this.#bar.hidden = true;
    this.#form.hidden = false;
    this.#note.part.toggle('error', kind === 'failure');
    this.#controls.retry.hidden = kind === 'offer';
    this.#remark = remark;
    this.replaceText(text);
  }

  #showNote(): void {
    const excess = excessOf(this.#field.value);
    const long = excess > 0 ? this.#texts.long(SOFT_LENGTH + excess, SOFT_LENGTH) : '';
    this.#note.textContent = [this.#remark, long].filter((part) => part !== '').join(' · ');
  }
}

/** A new element with attributes and children; strings become text, never markup. */
function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string>>,
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}
