/** Looks at the photos that are asked about: each once, however much is asked of it. */
import { isLost, type Look, type Narvl } from '../index.ts';
import type { Asked, Found } from './asking.ts';
import { asNarvlError } from './errors.ts';
import type { Photo } from './photo.ts';

/** Somebody waits for the answer, and has the photos that wait before their eyes anyway. */
const priority = 'high';

export class Looks {
  readonly #looks = new Map<Photo, { readonly model: Narvl; readonly look: Promise<Look> }>();

  /** What is asked about a photo, which is looked at for the first. */
  async ask(model: Narvl, photo: Photo, asked: Asked, signal: AbortSignal): Promise<Found> {
    const kept = this.#looks.has(photo);
    try {
      return await askOf(await this.#look(model, photo, signal), asked, signal);
    } catch (error) {
      const { code } = asNarvlError(error);
      // Whatever else it was may have taken the look with it: the next question looks again.
      const own = this.#looks.get(photo)?.model === model;
      if (own && code !== 'invalid-argument') this.forget(photo);
      // A look from before goes with the worker that kept it, which may have been long ago.
      if (kept && isLost(error) && !signal.aborted) return this.ask(model, photo, asked, signal);
      if (code !== 'too-many-looks') throw error;
      return askOf(withoutLook(model, photo), asked, signal);
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

/** Who can be asked about one photo. */
type Asker = Pick<Look, 'answer' | 'locate' | 'entails'>;

function askOf(asker: Asker, { kind, text }: Asked, signal: AbortSignal): Promise<Found> {
  const call = { signal, priority } as const;
  switch (kind) {
    case 'answer':
      return asker.answer(text, call);
    case 'locate':
      return asker.locate(text, call);
    case 'entail':
      return asker.entails(text, call);
  }
}

/** The model as who looks at the photo for each question anew. */
function withoutLook(model: Narvl, { source }: Photo): Asker {
  return {
    answer: (question, call) => model.answer(source, question, call),
    locate: (phrase, call) => model.locate(source, phrase, call),
    entails: (statement, call) => model.entails(source, statement, call),
  };
}
