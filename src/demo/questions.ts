/** A photo's questions: a field to ask in, and below it what was asked, the latest first. */
import type { Answer } from '../index.ts';
import { announce } from './announcer.ts';
import { make } from './dom.ts';
import { asNarvlError, isPassing } from './errors.ts';
import { confidence, sentence } from './format.ts';

/** Who answers. */
export type Ask = (question: string) => Promise<Answer>;

/** The questions about a photo, none at first. */
export function createQuestions(ask: Ask): HTMLElement {
  const input = make('input', { type: 'text', autocomplete: 'off', required: '' });
  const form = make(
    'form',
    { class: 'ask' },
    make('label', {}, 'Ask about this photo', input),
    make('button', { type: 'submit' }, 'Ask'),
  );
  const asked = make('ol', { class: 'asked', role: 'list' });
  const root = make('div', { class: 'questions' }, form);

  async function answerIn(item: HTMLLIElement, question: string): Promise<void> {
    showWaiting(item, question);
    try {
      showAnswer(item, question, await ask(question));
    } catch (reason) {
      const error = asNarvlError(reason);
      if (error.code === 'aborted') return; // The card is gone, and this with it.
      const retry = make('button', { type: 'button', class: 'quiet' }, 'Try again');
      retry.addEventListener('click', () => {
        input.focus(); // The button goes, and would take the focus with it.
        void answerIn(item, question);
      });
      const problem = make('p', { class: 'problem' }, make('code', {}, error.code), error.message);
      show(item, question, problem, ...(isPassing(error) ? [retry] : []));
      announce(`${question} ${error.message}`);
      // What cannot be asked is there to be mended, unless the next is being written.
      if (error.code === 'invalid-argument' && input.value === '') input.value = question;
    }
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const question = input.value;
    input.value = ''; // At once, so that the next can be written while this one is answered.
    const item = make('li', {});
    asked.prepend(item);
    root.append(asked);
    void answerIn(item, question);
  });
  return root;
}

function showWaiting(item: HTMLLIElement, question: string): void {
  show(item, question, make('p', { class: 'waiting' }, 'Looking'));
  item.setAttribute('aria-busy', 'true');
}

function showAnswer(
  item: HTMLLIElement,
  question: string,
  { text, confidence: sure }: Answer,
): void {
  const empty = text === '';
  const answer = empty ? 'All slots stayed blank: no answer' : sentence(text);
  show(
    item,
    question,
    make('p', { class: empty ? 'answer answer-empty' : 'answer' }, answer),
    make('p', { class: 'confidence' }, confidence(sure)),
  );
  announce(`${question} ${answer}`);
}

function show(item: HTMLLIElement, question: string, ...content: HTMLElement[]): void {
  item.removeAttribute('aria-busy');
  item.replaceChildren(make('p', { class: 'question' }, question), ...content);
}
