/** Every picture of a page that lacks a text, one after another, what is in sight first. */
import { type Caption, NarvlError, type Progress, type WeightBits } from '../index.ts';
import { throwIfAborted } from './aborted.ts';
import { standingOf, toAlt, writeAlt } from './alt.ts';
import { asNarvlError } from './as-error.ts';
import { DEFAULT_THRESHOLD, type Mode } from './attributes.ts';
import { type Captioner, consult } from './captioner.ts';
import { NarvlImage } from './element.ts';
import { emit } from './events.ts';
import { isDeferred } from './picture.ts';
import { leaseModel } from './shared-model.ts';
import { isInSight } from './visibility.ts';

/** Which pictures are described, and how. */
export interface DescribeOptions {
  /** URL of a model's folder, a loaded `Narvl`, or whoever answers as one does. */
  readonly model: string | URL | Captioner;
  /**
   * `suggest` (the default) puts a `<narvl-image>` behind each picture, which offers its text; `fill` writes
   * what is sure enough and adds nothing to the page.
   */
  readonly mode?: Mode | undefined;
  /** The least confidence of a text that `fill` writes, 0…1. */
  readonly threshold?: number | undefined;
  /** What to ask about each picture, instead of its caption. */
  readonly question?: string | undefined;
  /** Bits of the decoder's weights. */
  readonly weights?: WeightBits | undefined;
  /** Which of the pictures without a text are described; all if left out. */
  readonly filter?: ((image: HTMLImageElement) => boolean) | undefined;
  /** Called at the start and after each picture. */
  readonly onProgress?: ((progress: DescribeProgress) => void) | undefined;
  /** How far the model is that is loaded first. */
  readonly onLoad?: ((progress: Progress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What became of a picture: its text was `suggested` or `filled`; it was `unsure`, below the threshold;
 * `prevented` by the page's own `narvl-apply` listener; it `failed`; or it was `gone`, had a text or left the
 * page, before its turn came or while it was looked at.
 */
export type Outcome = 'suggested' | 'filled' | 'unsure' | 'prevented' | 'failed' | 'gone';

export interface Description {
  readonly image: HTMLImageElement;
  readonly outcome: Outcome;
  readonly caption?: Caption | undefined;
  readonly error?: NarvlError | undefined;
}

export interface DescribeProgress {
  readonly done: number;
  readonly total: number;
  /** The picture that was done last. */
  readonly last?: Description | undefined;
}

/**
 * Describe every `<img>` in `root` that has no text: in document order, those in sight first, those that still
 * load last. Texts of humans and decorative pictures are left alone. In `fill` the pictures themselves dispatch `narvl-caption`,
 * `narvl-apply` and `narvl-error`, in `suggest` their elements.
 *
 * @returns what became of each, in the order in which they were done
 * @throws NarvlError `aborted`, `invalid-argument` for `suggest` where nothing can be put into the page, and as `Narvl.load` does, for what concerns them all; what concerns a picture
 * stands in its place.
 */
export async function describeImages(
  root: ParentNode,
  options: DescribeOptions,
): Promise<Description[]> {
  const { signal, filter = () => true, onProgress } = options;
  throwIfAborted(signal);
  if (options.mode !== 'fill' && !globalThis.customElements) {
    throw new NarvlError('invalid-argument', 'Expected the mode fill where there are no elements');
  }
  const waiting = [...root.querySelectorAll('img')].filter(
    (image) => standingOf(image) === 'missing' && !image.closest('narvl-image') && filter(image),
  );
  const total = waiting.length;
  onProgress?.({ done: 0, total });
  if (total === 0) return [];
  const { captioner, release } = await openModel(options);
  const descriptions: Description[] = [];
  try {
    for (let image = next(waiting); image; image = next(waiting)) {
      throwIfAborted(signal);
      const last = await describeOne(image, captioner, options);
      throwIfAborted(signal);
      descriptions.push(last);
      onProgress?.({ done: descriptions.length, total, last });
    }
  } finally {
    release();
  }
  return descriptions;
}

/** Take the first in sight, or the first; one that still loads waits for those that need not. */
function next(waiting: HTMLImageElement[]): HTMLImageElement | undefined {
  const ready = waiting.filter((image) => image.complete || isDeferred(image));
  const among = ready.length > 0 ? ready : waiting;
  const chosen = among.find(isInSight) ?? among[0];
  if (chosen) waiting.splice(waiting.indexOf(chosen), 1);
  return chosen;
}

/** Whoever is to be asked; a model of an address is loaded, so that what is wrong with it is said once. */
async function openModel({
  model,
  weights,
  onLoad = () => {},
}: DescribeOptions): Promise<{ captioner: Captioner; release(): void }> {
  if (typeof model !== 'string' && !(model instanceof URL)) {
    return { captioner: model, release: () => {} };
  }
  const url = new URL(model, document.baseURI).href;
  const lease = leaseModel(
    { url, weights },
    NarvlImage.options,
    () => NarvlImage.releaseAfter,
    onLoad,
  );
  try {
    await lease.ask(async () => {});
  } catch (error) {
    lease.release();
    throw error;
  }
  const captioner: Captioner = {
    caption: (image, ask) => lease.ask((narvl) => narvl.caption(image, ask)),
    answer: (image, question, ask) => lease.ask((narvl) => narvl.answer(image, question, ask)),
  };
  return { captioner, release: () => lease.release() };
}

async function describeOne(
  image: HTMLImageElement,
  captioner: Captioner,
  options: DescribeOptions,
): Promise<Description> {
  if (!isWanted(image)) return { image, outcome: 'gone' };
  try {
    return options.mode === 'fill'
      ? await fill(image, captioner, options)
      : await suggest(image, captioner, options);
  } catch (reason) {
    throwIfAborted(options.signal);
    const error = asNarvlError(reason);
    if (error.code === 'aborted') return { image, outcome: 'gone' };
    return { image, outcome: 'failed', error };
  }
}

function isWanted(image: HTMLImageElement): boolean {
  return image.isConnected && standingOf(image) === 'missing';
}

async function fill(
  image: HTMLImageElement,
  captioner: Captioner,
  { question, threshold = DEFAULT_THRESHOLD, signal }: DescribeOptions,
): Promise<Description> {
  let caption: Caption;
  try {
    caption = await consult(captioner, image, { question, signal });
  } catch (reason) {
    const error = asNarvlError(reason);
    if (error.code !== 'aborted') emit(image, 'narvl-error', error);
    throw error;
  }
  emit(image, 'narvl-caption', caption);
  if (signal?.aborted || !isWanted(image)) return { image, outcome: 'gone', caption };
  const text = toAlt(caption.text);
  if (text === '' || caption.confidence < threshold) return { image, outcome: 'unsure', caption };
  if (!emit(image, 'narvl-apply', { text, by: 'machine', image, caption })) {
    return { image, outcome: 'prevented', caption };
  }
  writeAlt(image, text, 'machine');
  return { image, outcome: 'filled', caption };
}

async function suggest(
  image: HTMLImageElement,
  captioner: Captioner,
  { model, question, weights, signal }: DescribeOptions,
): Promise<Description> {
  const element = new NarvlImage();
  element.picture = image;
  if (typeof model === 'string' || model instanceof URL) element.model = String(model);
  else element.captioner = captioner;
  if (question) element.question = question;
  element.weights = weights;
  placeFor(image).after(element);
  const abort = () => element.remove();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    const caption = await element.describe();
    return caption ? { image, outcome: 'suggested', caption } : { image, outcome: 'gone' };
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

/** What a panel goes behind: the picture, or what surrounds it where there can be no other controls. */
function placeFor(image: HTMLImageElement): Element {
  const picture = image.closest('picture') ?? image;
  return picture.closest('a, button, label, summary') ?? picture;
}
