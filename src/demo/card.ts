/** A photo with what became of it: it waits, then has a caption or an error in its own place. */
import { type Caption, isGuess, type NarvlError } from '../index.ts';
import { announce } from './announcer.ts';
import type { AskKind } from './asking.ts';
import { createCaptionText } from './caption-text.ts';
import { playCollapse, playOnceSeen } from './collapse-animation.ts';
import { make } from './dom.ts';
import { isPassing } from './errors.ts';
import { confidence, milliseconds, sentence } from './format.ts';
import { createFoundBox } from './found-box.ts';
import { createGaze } from './gaze.ts';
import type { Photo } from './photo.ts';
import { type Ask, createQuestions } from './questions.ts';
import { createStrip } from './strip.ts';
import { createTimings } from './timings.ts';

/** What the card asks of who keeps it. */
export interface CardEvents {
  onRemove(): void;
  onRetry(): void;
  readonly onAsk: Ask;
}

/** Of a picture of which not all was looked at. */
const ONLY_A_PART =
  'Only the middle was looked at: the picture is more than three times as long as wide.';

/** How long the copy button says how it went. */
const COPIED_MS = 2000;

export class PhotoCard {
  readonly element: HTMLElement;
  readonly photo: Photo;
  /** Where the focus goes when the card before this one is removed. */
  readonly removeButton: HTMLButtonElement;
  readonly #events: CardEvents;
  readonly #image: HTMLImageElement;
  /** The photo, and the light on it. */
  readonly #frame: HTMLElement;
  readonly #result: HTMLElement;
  readonly #objectUrl: string | undefined;
  #questions: HTMLElement | undefined;

  constructor(photo: Photo, events: CardEvents) {
    this.photo = photo;
    this.#events = events;
    const { name, source } = photo;
    this.#objectUrl = typeof source === 'string' ? undefined : URL.createObjectURL(source);
    const src = this.#objectUrl ?? String(source);
    this.#image = make('img', { src, alt: `Not captioned yet: ${name}`, decoding: 'async' });
    this.#frame = make('div', { class: 'frame' }, this.#image);
    const print = make('div', { class: 'print' }, this.#frame);
    this.#image.addEventListener('error', () => {
      print.replaceChildren(make('p', { class: 'no-picture' }, 'No picture'));
    });
    this.removeButton = make(
      'button',
      { type: 'button', class: 'quiet remove', 'aria-label': `Remove ${name}` },
      'Remove',
    );
    this.removeButton.addEventListener('click', () => events.onRemove());
    this.#result = make('div', { class: 'result' });
    this.element = make(
      'article',
      { class: 'card' },
      print,
      make(
        'div',
        { class: 'account' },
        make('header', { class: 'card-head' }, make('h3', {}, name), this.removeButton),
        this.#result,
      ),
    );
  }

  showWaiting(): void {
    this.#show('waiting', make('p', { class: 'waiting' }, 'Waiting for the model'));
  }

  showLooking(): void {
    this.#show('waiting', make('p', { class: 'waiting' }, 'Looking'));
  }

  showCaption(caption: Caption): void {
    const text = createCaptionText(caption);
    const strip = createStrip(caption.slots);
    strip.replay.addEventListener('click', () => playCollapse(strip, text));
    const guess = isGuess(caption.confidence, 'caption');
    this.#show(
      'done',
      ...(guess ? [make('p', { class: 'guess' }, 'A guess')] : []),
      text.element,
      ...(caption.part ? [make('p', { class: 'part' }, ONLY_A_PART)] : []),
      make(
        'div',
        { class: 'verdict' },
        make(
          'p',
          {},
          `${confidence(caption.confidence, 'caption')} · ${milliseconds(caption.timings.total)}`,
        ),
        createCopyButton(caption.text, 'Copy as alt text'),
      ),
      ...(guess ? createAlternatives(caption) : []),
      ...this.#createGaze(caption, text.words),
      strip.element,
      createTimings(caption),
    );
    this.#image.alt = sentence(caption.text);
    announce(`${this.photo.name}: ${guess ? 'a guess: ' : ''}${sentence(caption.text)}`);
    playOnceSeen(strip, text);
  }

  showError(error: NarvlError): void {
    const problem = make('p', { class: 'problem' }, make('code', {}, error.code), error.message);
    if (isPassing(error)) {
      const retry = make('button', { type: 'button', class: 'quiet' }, 'Try again');
      retry.addEventListener('click', () => {
        this.removeButton.focus(); // The button goes with what it stands in.
        this.#events.onRetry();
      });
      this.#show('failed', problem, make('div', { class: 'verdict' }, retry));
    } else {
      this.#show('failed', problem);
    }
    this.#image.alt = `Not captioned: ${this.photo.name}`;
    announce(`${this.photo.name}: ${error.message}`);
  }

  /** Let the visitor ask about the photo, in these ways. */
  offerQuestions(kinds: readonly AskKind[]): void {
    if (this.#questions || kinds.length === 0) return;
    const box = createFoundBox();
    this.#frame.append(box.element);
    this.#questions = createQuestions(this.#events.onAsk, kinds, box);
    this.element.append(this.#questions);
  }

  /** Take the card off the page and let go of the photo. */
  remove(): void {
    this.element.remove();
    if (this.#objectUrl) URL.revokeObjectURL(this.#objectUrl);
  }

  /** Where each word looked, if it is known and there is a word. */
  #createGaze(
    { words, attention }: Caption,
    elements: readonly HTMLElement[],
  ): readonly HTMLElement[] {
    if (!attention || words.length === 0) return [];
    const gaze = createGaze(words, attention);
    for (const [i, word] of elements.entries()) gaze.follow(word, i);
    this.#frame.replaceChildren(this.#image, gaze.light);
    return [gaze.element];
  }

  #show(state: 'waiting' | 'done' | 'failed', ...content: HTMLElement[]): void {
    this.element.dataset.state = state;
    this.element.setAttribute('aria-busy', String(state === 'waiting'));
    this.#result.replaceChildren(...content);
  }
}

/** A button that copies a text as a sentence, and says how that went. */
function createCopyButton(text: string, idle: string): HTMLButtonElement {
  const button = make('button', { type: 'button', class: 'quiet' }, idle);
  button.addEventListener('click', async () => {
    // The clipboard says no where the page is framed or not secure.
    const copied = await navigator.clipboard.writeText(sentence(text)).then(
      () => true,
      () => false,
    );
    button.textContent = copied ? 'Copied' : 'Copying was refused';
    announce(button.textContent);
    setTimeout(() => {
      button.textContent = idle;
    }, COPIED_MS);
  });
  return button;
}

/** What else a photo may show, each to be copied in the caption's place. */
function createAlternatives({ alternatives = [] }: Caption): readonly HTMLElement[] {
  const others = alternatives.filter(({ text }) => text !== '');
  if (others.length === 0) return [];
  const items = others.map(({ text }) => make('li', {}, createCopyButton(text, sentence(text))));
  return [
    make(
      'section',
      { class: 'alternatives', 'aria-label': 'What else it may be' },
      make('h4', {}, 'Or is it one of these? Choose one to copy it as alt text.'),
      make('ul', { role: 'list' }, ...items),
    ),
  ];
}
