/** What a page says to `<narvl-image>`: its attributes, each a property of the same name too. */
import type { WeightBits } from '../index.ts';

/** `suggest`: the page's user chooses. `fill`: the element writes what it is sure of. */
export type Mode = 'suggest' | 'fill';

/** Of a caption's content words people use so many of such a photo too; of each other's 57 %. */
export const DEFAULT_THRESHOLD = 0.45;

/** Where there is no DOM the class can be named, not used. */
const Base = globalThis.HTMLElement ?? (class {} as typeof HTMLElement);

/** An element with these attributes; a value that is none of theirs counts as the default. */
export class NarvlAttributes extends Base {
  static readonly observedAttributes = [
    'model',
    'mode',
    'threshold',
    'question',
    'loading',
    'weights',
    'disabled',
    'for',
  ];

  /** The model folder of elements without a `model` attribute. */
  static model = '';

  /** URL of the model's folder. */
  get model(): string {
    return this.getAttribute('model') ?? (this.constructor as typeof NarvlAttributes).model;
  }

  set model(url: string) {
    this.setAttribute('model', url);
  }

  get mode(): Mode {
    return this.getAttribute('mode')?.toLowerCase() === 'fill' ? 'fill' : 'suggest';
  }

  set mode(mode: Mode) {
    this.setAttribute('mode', mode);
  }

  /** The least confidence of a text that `fill` writes, 0…1. */
  get threshold(): number {
    const threshold = Number.parseFloat(this.getAttribute('threshold') ?? '');
    return Number.isNaN(threshold) ? DEFAULT_THRESHOLD : threshold;
  }

  set threshold(threshold: number) {
    this.setAttribute('threshold', String(threshold));
  }

  /** What to ask about the picture; empty for its caption. */
  get question(): string {
    return this.getAttribute('question')?.trim() ?? '';
  }

  set question(question: string) {
    this.setAttribute('question', question);
  }

  /** `lazy`: nothing is done until the picture is in sight. */
  get loading(): 'lazy' | 'eager' {
    return this.getAttribute('loading')?.toLowerCase() === 'eager' ? 'eager' : 'lazy';
  }

  set loading(loading: 'lazy' | 'eager') {
    this.setAttribute('loading', loading);
  }

  /** Bits of the decoder's weights; what suits the device if it is not 8, 16 or 32. */
  get weights(): WeightBits | undefined {
    const bits = Number(this.getAttribute('weights'));
    return bits === 8 || bits === 16 || bits === 32 ? bits : undefined;
  }

  set weights(bits: WeightBits | undefined) {
    if (bits === undefined) this.removeAttribute('weights');
    else this.setAttribute('weights', String(bits));
  }

  get disabled(): boolean {
    return this.hasAttribute('disabled');
  }

  set disabled(disabled: boolean) {
    this.toggleAttribute('disabled', disabled);
  }

  connectedCallback(): void {
    this.adopt('model', 'mode', 'threshold', 'question', 'loading', 'weights', 'disabled');
  }

  /**
   * Set again what was set before the class was there: as the element's own, such a property would hide
   * the one of the class.
   * @internal
   */
  protected adopt(...names: readonly (keyof this)[]): void {
    for (const name of names) {
      if (!Object.hasOwn(this, name)) continue;
      const value = this[name];
      Reflect.deleteProperty(this, name);
      this[name] = value;
    }
  }
}
