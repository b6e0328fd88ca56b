/** A photo's questions: a field to ask in, and below it what was asked, the latest first. */
import { announce } from './announcer.ts';
import { type Asked, type AskKind, type Found, questionOf, thingOf, ways } from './asking.ts';
import { make } from './dom.ts';
import { asNarvlError, isPassing } from './errors.ts';
import { showFound } from './found.ts';
import type { FoundBox } from './found-box.ts';

/** Who answers. */
export type Ask = (asked: Asked) => Promise<Found>;

/** The questions about a photo, none at first; `kinds` are those that can be asked, one or more. */
export function createQuestions(ask: Ask, kinds: readonly AskKind[], box: FoundBox): HTMLElement {
  let [kind = 'answer'] = kinds;
  const input = make('input', { type: 'text', autocomplete: 'off', required: '' });
  const label = make('span', {});
  const button = make('button', { type: 'submit' });
  const choice = createChoice(kinds, (chosen) => choose(chosen));
  const form = make(
    'form',
    { class: 'ask' },
    ...(kinds.length > 1 ? [choice] : []),
    make('label', {}, label, input),
    button,
  );
  const asked = make('ol', { class: 'asked', role: 'list' });
  const root = make('div', { class: 'questions' }, form);

  function choose(chosen: AskKind): void {
    kind = chosen;
    const way = ways[kind];
    label.textContent = way.label;
    button.textContent = way.button;
    input.placeholder = way.placeholder;
  }
  choose(kind);

  async function answerIn(item: HTMLLIElement, wanted: Asked): Promise<void> {
    const question = questionOf(wanted);
    show(item, question, make('p', { class: 'waiting' }, 'Looking'));
    item.setAttribute('aria-busy', 'true');
    try {
      const found = await ask(wanted);
      const { text, elements } = showFound(found);
      const toggle = 'edges' in found ? [createToggle(wanted.text, found.edges, box, asked)] : [];
      show(item, question, ...elements, ...toggle);
      announce(`${question} ${text}`);
    } catch (reason) {
      const error = asNarvlError(reason);
      if (error.code === 'aborted') return; // The card is gone, and this with it.
      const retry = make('button', { type: 'button', class: 'quiet' }, 'Try again');
      retry.addEventListener('click', () => {
        input.focus(); // The button goes, and would take the focus with it.
        void answerIn(item, wanted);
      });
      const problem = make('p', { class: 'problem' }, make('code', {}, error.code), error.message);
      show(item, question, problem, ...(isPassing(error) ? [retry] : []));
      announce(`${question} ${error.message}`);
      // What cannot be asked is there to be mended, unless the next is being written.
      if (error.code === 'invalid-argument' && input.value === '') input.value = wanted.text;
    }
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const text = kind === 'locate' ? thingOf(input.value) : input.value;
    input.value = ''; // At once, so that the next can be written while this one is answered.
    const item = make('li', {});
    asked.prepend(item);
    root.append(asked);
    void answerIn(item, { kind, text });
  });
  return root;
}

/** The ways of asking, the first of which is chosen. */
function createChoice(kinds: readonly AskKind[], onChoose: (kind: AskKind) => void): HTMLElement {
  const choices = kinds.map((kind, i) => {
    const radio = make('input', { type: 'radio', name: 'way', value: kind });
    radio.checked = i === 0;
    radio.addEventListener('change', () => onChoose(kind));
    return make('label', {}, radio, ways[kind].name);
  });
  const legend = make('legend', { class: 'visually-hidden' }, 'What to ask');
  return make('fieldset', { class: 'ways' }, legend, ...choices);
}

/** A button for the box of one thing, which it shows at once in the place of any other's. */
function createToggle(
  thing: string,
  edges: readonly [number, number, number, number],
  box: FoundBox,
  asked: HTMLElement,
): HTMLElement {
  const button = make('button', { type: 'button', class: 'quiet' }, 'Show on the photo');
  const press = (pressed: boolean) => {
    for (const other of asked.querySelectorAll('[aria-pressed]')) {
      other.setAttribute('aria-pressed', 'false');
    }
    button.setAttribute('aria-pressed', String(pressed));
    if (pressed) box.show(thing, edges);
    else box.hide();
  };
  button.addEventListener('click', () => press(button.getAttribute('aria-pressed') !== 'true'));
  press(true);
  return button;
}

function show(item: HTMLLIElement, question: string, ...content: HTMLElement[]): void {
  item.removeAttribute('aria-busy');
  item.replaceChildren(make('p', { class: 'question' }, question), ...content);
}
