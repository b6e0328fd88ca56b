/** What describes a picture: the model, or whatever answers as it does. */
import { type AskOptions, type Caption, type ImageSource, NarvlError } from '../index.ts';
import { throwIfAborted } from './aborted.ts';
import { askAbout, isDeferred, whenLoaded } from './picture.ts';

/** Enough other texts to choose from, few enough to go through. */
const ALTERNATIVES = 4;

/** A loaded `Narvl`, or somebody who asks one elsewhere, as an extension's page does. */
export interface Captioner {
  caption(image: ImageSource, options?: AskOptions): Promise<Caption>;
  /** Only needed for questions. */
  answer?(image: ImageSource, question: string, options?: AskOptions): Promise<Caption>;
}

/** What is asked of a picture. */
export interface Consultation {
  /** Empty for its caption. */
  readonly question?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The caption of what the image shows once it has loaded, or the answer to a question about it, with alternatives.
 * @throws NarvlError as `Narvl.caption` does; `invalid-argument` also for a question that nobody answers.
 */
export async function consult(
  captioner: Captioner,
  image: HTMLImageElement,
  { question, signal }: Consultation,
): Promise<Caption> {
  throwIfAborted(signal);
  if (!isDeferred(image)) await whenLoaded(image, signal);
  const options = { alternatives: ALTERNATIVES, signal };
  if (!question) return askAbout(image, (source) => captioner.caption(source, options));
  if (!captioner.answer) {
    throw new NarvlError('invalid-argument', 'Expected a captioner that answers questions');
  }
  const answer = captioner.answer.bind(captioner);
  return askAbout(image, (source) => answer(source, question, options));
}
