/** Looks at the photos that are asked about: each once, however much is asked of it. */
import { type Answer, isLost, type Look, type Narvl } from '../index.ts';
import { asNarvlError } from './errors.ts';
import type { Photo } from './photo.ts';

/** Somebody waits for the answer, and has the photos that wait before their eyes anyway. */
const priority = 'high';

export class Looks {
  readonly #looks = new Map<Photo, { readonly model: Narvl; readonly look: Promise<Look> }>();

  /** The answer to a question about a photo, which is looked at for the first. */
  async answer(model: Narvl, photo: Photo, question: string, signal: AbortSignal): Promise<Answer> {
    const kept = this.#looks.has(photo);
    try {
      return await (await this.#look(model, photo, signal)).answer(question, { signal, priority });
    } catch (error) {
      const { code } = asNarvlError(error);
      // Whatever else it was may have taken the look with it: the next question looks again.
      const own = this.#looks.get(photo)?.model === model;
      if (own && code !== 'invalid-argument') this.forget(photo);
      // A look from before goes with the worker that kept it, which may have been long ago.
      if (kept && isLost(error) && !signal.aborted)
        return this.answer(model, photo, question, signal);
      if (code !== 'too-many-looks') throw error;
      return model.answer(photo.source, question, { signal, priority });
    }
  }

  /** Free a photo's look, if there is one. */
  forget(photo: Photo): void {
    this.#looks.get(photo)?.look.then(
      (look) => look.dispose(),
      () => {}, // Who asked has heard of it.
    );
    this.#looks.delete(photo);
  }

  #look(model: Narvl, photo: Photo, signal: AbortSignal): Promise<Look> {
    const kept = this.#looks.get(photo);
    if (kept?.model === model) return kept.look;
    const look = model.look(photo.source, { signal, priority });
    this.#looks.set(photo, { model, look });
    return look;
  }
}
