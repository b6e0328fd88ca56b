/** `<narvl-image>`: around a picture of the page, which it describes or lets its author have described. */
import { type Caption, isGuess, NarvlError, type Progress } from '../index.ts';
import { throwIfAborted } from './aborted.ts';
import { eraseMachineAlt, standingOf, toAlt, unmarkAlt, writeAlt } from './alt.ts';
import { announce, prepareAnnouncer } from './announcer.ts';
import { asNarvlError } from './as-error.ts';
import { NarvlAttributes } from './attributes.ts';
import { type Captioner, consult } from './captioner.ts';
import { Choices } from './choices.ts';
import { emit } from './events.ts';
import { type Action, createRoot, Panel } from './panel.ts';
import { type Change, type Watch, watchPicture, whenLoaded } from './picture.ts';
import { type Lease, leaseModel, RELEASE_AFTER_MS, type SharedOptions } from './shared-model.ts';
import { english, type WidgetTexts } from './texts.ts';
import { whenVisible } from './visibility.ts';

/**
 * How far the element is. `idle`: nothing to do, as with a picture that has a text. `waiting`: until the
 * picture is seen and loaded. `loading`: the model. `looking`: at the picture. Then `suggested`, and by its user
 * `used` or `dismissed`; or `filled`, `unsure`: below the threshold, or `dismissed` by the page; or `failed`.
 */
export type State =
  | 'idle'
  | 'waiting'
  | 'loading'
  | 'looking'
  | 'suggested'
  | 'used'
  | 'dismissed'
  | 'filled'
  | 'unsure'
  | 'failed';

/**
 * The element. Its picture is the first `<img>` inside it that stands in no slot, or the one that `for`
 * names; it stays where it is.
 */
export class NarvlImage extends NarvlAttributes {
  /** How models are loaded, besides what elements say. */
  static options: SharedOptions = {};
  /** What elements say that are connected from now on, in the page's own language. */
  static texts: Partial<WidgetTexts> = {};
  /** Milliseconds that a model stays in memory after the last element has left. */
  static releaseAfter = RELEASE_AFTER_MS;

  readonly #root: ShadowRoot;
  readonly #internals: ElementInternals;
  #panel: Panel | undefined;
  #texts: Readonly<WidgetTexts> = english;
  #state: State = 'idle';
  #image: HTMLImageElement | undefined;
  #named: HTMLImageElement | undefined;
  #captioner: Captioner | undefined;
  #watch: Watch | undefined;
  #round = new AbortController();
  #planned = false;
  #lease: { readonly key: string; readonly lease: Lease } | undefined;
  /** What was found, and for what it was asked. */
  #found: { readonly key: string; readonly caption: Caption } | undefined;
  #choices: Choices | undefined;
  /** What this element wrote into its picture. */
  #wrote: string | undefined;
  /** Whether that describes a picture that is gone: a better one may be suggested. */
  #stale = false;
  /** Whether nobody wants a text for this picture. */
  #dismissed = false;

  constructor() {
    super();
    this.#root = createRoot(this);
    this.#internals = this.attachInternals();
  }

  /** How far it is; CSS has it as `:state(…)`. */
  get state(): State {
    return this.#state;
  }

  /** What the model said of the picture, if it has. */
  get caption(): Caption | undefined {
    return this.#found?.caption;
  }

  /** The picture that is described. Set it to one that stands elsewhere; `for` says so in HTML. */
  get picture(): HTMLImageElement | undefined {
    return this.#findImage();
  }

  set picture(image: HTMLImageElement | undefined) {
    this.#named = image;
    if (this.isConnected) this.#turnTo();
  }

  /** What describes the picture instead of the model of the `model` attribute, such as a loaded `Narvl`. */
  get captioner(): Captioner | undefined {
    return this.#captioner;
  }

  set captioner(captioner: Captioner | undefined) {
    this.#captioner = captioner;
    this.#plan();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.adopt('picture', 'captioner');
    this.#texts = { ...english, ...NarvlImage.texts };
    if (this.mode === 'suggest') prepareAnnouncer();
    this.#observe();
  }

  disconnectedCallback(): void {
    this.#round.abort();
    this.#watch?.end();
    this.#watch = undefined;
    this.#release();
  }

  attributeChangedCallback(name: string): void {
    if (!this.isConnected) return;
    if (name === 'for') this.#turnTo();
    else this.#plan();
  }

  /**
   * Describe the picture now, in sight or not, again if it was; nothing if it has a human's text or is
   * decorative.
   * @throws NarvlError as `Narvl.load` and `Narvl.caption` do; `aborted` if the picture, an attribute or
   * the page changed meanwhile.
   */
  async describe(): Promise<Caption | undefined> {
    this.#found = undefined;
    this.#dismissed = false;
    return this.#run(true);
  }

  #findImage(): HTMLImageElement | undefined {
    if (this.#named) return this.#named;
    const id = this.getAttribute('for');
    if (id) {
      // An element that stands in no document has for its root one without the method.
      const root = this.getRootNode() as Node & Partial<NonElementParentNode>;
      const named = root.getElementById?.(id);
      return named instanceof HTMLImageElement ? named : undefined;
    }
    return [...this.querySelectorAll('img')].find((image) => {
      const slotted = image.closest('[slot]');
      return !slotted || slotted === this || !this.contains(slotted);
    });
  }

  /** Go over to the picture that is meant now, if it is another. */
  #turnTo(): void {
    if (this.#findImage() !== this.#image) this.#begin();
    this.#observe();
  }

  /** Watch the picture that is meant now, and begin anew if it is another. */
  #observe(): void {
    this.#watch?.end();
    this.#image = this.#findImage();
    const image = this.#image;
    const inside = !image || this.contains(image);
    this.#watch = watchPicture(
      inside ? this : (image.closest('picture') ?? image),
      () => this.#image,
      (change) => this.#onChange(change),
    );
    this.#plan();
  }

  #onChange({ source, alt, children }: Change): void {
    if (children && this.#findImage() !== this.#image) {
      this.#turnTo();
      return;
    }
    const image = this.#image;
    if (!image) return;
    const text = image.getAttribute('alt') ?? undefined;
    const rewritten = alt && (text === undefined || text !== this.#wrote);
    if (rewritten) {
      unmarkAlt(image);
      this.#wrote = undefined;
      this.#stale = false;
    }
    if (source) {
      const stale = this.#wrote !== undefined;
      eraseMachineAlt(image);
      this.#watch?.forget();
      this.#begin();
      if (stale && standingOf(image) === 'human') {
        this.#wrote = text;
        this.#stale = true;
      }
    }
    if (rewritten || source) this.#plan();
  }

  /** Forget what concerns the picture that was there. */
  #begin(): void {
    this.#found = undefined;
    this.#wrote = undefined;
    this.#stale = false;
    this.#dismissed = false;
  }

  /** Begin anew when everything that changes at a time has changed. */
  #plan(): void {
    if (this.#planned || !this.isConnected) return;
    this.#planned = true;
    queueMicrotask(() => {
      if (!this.#planned) return;
      this.#run(false).catch(() => {}); // Its event has told of it.
    });
  }

  /** From what is there now to a suggestion, a text, or an error. */
  async #run(asked: boolean): Promise<Caption | undefined> {
    this.#planned = false;
    this.#round.abort();
    const round = new AbortController();
    this.#round = round;
    const { signal } = round;
    const image = this.#image;
    if (!image || !this.isConnected || this.disabled || !this.#wants(image, asked)) {
      const done = this.#state === 'used' || this.#state === 'filled';
      if (!done || this.#wrote === undefined) this.#enter('idle');
      this.#hidePanel();
      return undefined;
    }
    if (this.#dismissed) return undefined;
    try {
      this.#enter('waiting');
      this.#hidePanel();
      if (!asked) {
        if (this.loading === 'lazy') await whenVisible(image, signal);
        await whenLoaded(image, signal); // Before there is a model: there may never be a picture.
      }
      const caption = await this.#ask(image, signal);
      this.#offer(image, caption);
      return caption;
    } catch (reason) {
      const error = asNarvlError(reason);
      if (!signal.aborted) this.#fail(error);
      throw error;
    }
  }

  #wants(image: HTMLImageElement, asked: boolean): boolean {
    switch (standingOf(image)) {
      case 'missing':
        return true;
      case 'machine':
        return asked;
      case 'human':
        return this.#stale && this.mode === 'suggest';
      case 'decorative':
        return false;
    }
  }

  async #ask(image: HTMLImageElement, signal: AbortSignal): Promise<Caption> {
    const key = JSON.stringify([image.currentSrc, this.model, this.weights, this.question]);
    if (this.#found?.key === key) return this.#found.caption;
    const options = { question: this.question, signal };
    this.#look();
    const caption = await (this.#captioner
      ? consult(this.#captioner, image, options)
      : this.#share().ask((model) => {
          throwIfAborted(signal);
          this.#look();
          return consult(model, image, options);
        }));
    throwIfAborted(signal);
    this.#found = { key, caption };
    emit(this, 'narvl-caption', caption);
    throwIfAborted(signal);
    return caption;
  }

  /** This element's share in the model that its attributes name. */
  #share(): Lease {
    if (!this.model) {
      throw new NarvlError(
        'invalid-argument',
        'Expected the URL of a model folder in the attribute model or in NarvlImage.model, got none',
      );
    }
    let url: string;
    try {
      url = new URL(this.model, this.baseURI).href;
    } catch (cause) {
      throw new NarvlError(
        'invalid-argument',
        `Expected the URL of a model folder, got ${this.model}`,
        {
          cause,
        },
      );
    }
    const key = JSON.stringify([url, this.weights]);
    if (this.#lease?.key === key) return this.#lease.lease;
    const lease = leaseModel(
      { url, weights: this.weights },
      NarvlImage.options,
      () => NarvlImage.releaseAfter,
      (progress) => this.#onProgress(progress),
    );
    this.#release();
    this.#lease = { key, lease };
    return lease;
  }

  #release(): void {
    this.#lease?.lease.release();
    this.#lease = undefined;
  }

  #onProgress(progress: Progress): void {
    if (this.#state !== 'loading' && this.#state !== 'looking') return;
    emit(this, 'narvl-progress', progress);
    if (progress.stage === 'ready') {
      this.#look();
    } else {
      this.#enter('loading');
      if (this.mode === 'suggest') this.#ownPanel().showProgress(progress);
    }
  }

  #look(): void {
    this.#enter('looking');
    if (this.mode === 'suggest') this.#ownPanel().showLooking();
  }

  #offer(image: HTMLImageElement, caption: Caption): void {
    const choices = new Choices(caption);
    this.#choices = choices;
    if (this.mode === 'fill') {
      const sure = caption.confidence >= this.threshold && choices.current !== '';
      if (!sure) this.#enter('unsure');
      else if (this.#apply(image, choices.current, 'machine')) this.#enter('filled');
      else this.#enter('dismissed');
    } else {
      const { confidence } = caption;
      this.#enter('suggested');
      this.#ownPanel().showOffer({
        text: choices.current,
        confidence,
        guess: isGuess(confidence, this.question === '' ? 'caption' : 'answer'),
        others: choices.count > 1,
      });
      announce({
        text: this.#texts.suggested(choices.current),
        many: this.#texts.manySuggested,
      });
    }
  }

  #fail(error: NarvlError): void {
    this.#choices = undefined;
    this.#enter('failed');
    if (this.mode === 'suggest') {
      this.#ownPanel().showFailure(error.message);
      announce({ text: this.#texts.failed(error.message) });
    }
    emit(this, 'narvl-error', error);
  }

  /** Write a text into the picture, unless the page prevents it. @returns whether it was written. */
  #apply(image: HTMLImageElement, text: string, by: 'machine' | 'human'): boolean {
    const signal = this.#round.signal;
    const apply = { text, by, image, caption: this.caption };
    if (!emit(this, 'narvl-apply', apply) || signal.aborted) return false;
    // Somebody who heard of the text may have written one; the observer tells of that only later.
    if (by === 'machine' && !this.#wants(image, true)) return false;
    this.#wrote = text;
    this.#stale = false;
    writeAlt(image, text, by);
    return true;
  }

  #act(action: Action): void {
    const panel = this.#ownPanel();
    const image = this.#image;
    if (!image) return;
    switch (action) {
      case 'use': {
        const text = toAlt(panel.text);
        if (text === '') panel.focusField();
        else if (this.#apply(image, text, 'human')) {
          this.#hidePanel();
          this.#enter('used');
          announce({ text: this.#texts.used });
        }
        break;
      }
      case 'another':
        if (!this.#choices) break;
        panel.replaceText(this.#choices.next(panel.text));
        announce({ text: panel.text });
        break;
      case 'dismiss':
        this.#dismissed = true;
        this.#hidePanel();
        this.#enter('dismissed');
        break;
      case 'retry':
        this.describe().catch(() => {}); // The panel shows it.
        break;
    }
  }

  #hidePanel(): void {
    if (this.#panel?.focused) this.#takeFocus();
    this.#panel?.hide();
  }

  /** Have the focus where the panel was, for who goes on by keyboard from there. */
  #takeFocus(): void {
    this.tabIndex = -1;
    this.focus({ preventScroll: true });
    this.addEventListener('blur', () => this.removeAttribute('tabindex'), { once: true });
  }

  #ownPanel(): Panel {
    this.#panel ??= new Panel(this.#root, this.#texts, (action) => this.#act(action));
    return this.#panel;
  }

  #enter(state: State): void {
    this.#internals.states.delete(this.#state);
    this.#internals.states.add(state);
    this.#state = state;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'narvl-image': NarvlImage;
  }
}
