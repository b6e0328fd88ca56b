/** One worker and one model for all who name the same, from the first who asks until the last has left. */
import { isLost, type LoadOptions, Narvl, type Progress, type WeightBits } from '../index.ts';

/** Which model is shared: who names the same gets the same. */
export interface ModelChoice {
  /** Absolute URL of its folder. */
  readonly url: string;
  /** Of the decoder's weights; what suits the device if left out. */
  readonly weights?: WeightBits | undefined;
}

/** What else of `LoadOptions` is the page's to choose, for all its models. */
export type SharedOptions = Omit<LoadOptions, 'onProgress' | 'signal'>;

/** How long a model stays that nobody uses, in milliseconds. */
export const RELEASE_AFTER_MS = 30_000;

const models = new Map<string, SharedModel>();

/** A share in a model. */
export interface Lease {
  /**
   * Do something with the model, loaded first if it is not there. If its worker dies of it, it is tried once
   * more in the next one: all that waited went with it, whoever's fault it was.
   */
  ask<T>(work: (model: Narvl) => Promise<T>): Promise<T>;
  /** Give it back; the last one that does so frees its memory after a while. */
  release(): void;
}

/** A share in the model of `choice`; nothing is loaded before it is asked. */
export function leaseModel(
  choice: ModelChoice,
  options: SharedOptions,
  releaseAfter: () => number,
  onProgress: (progress: Progress) => void,
): Lease {
  const key = JSON.stringify([choice.url, choice.weights]);
  let model = models.get(key);
  if (!model) {
    model = new SharedModel(choice, options, () => models.delete(key));
    models.set(key, model);
  }
  return model.lease(onProgress, releaseAfter);
}

class SharedModel {
  readonly #choice: ModelChoice;
  readonly #options: SharedOptions;
  readonly #onEnd: () => void;
  readonly #listeners = new Set<(progress: Progress) => void>();
  readonly #ending = new AbortController();
  #loading: Promise<Narvl> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(choice: ModelChoice, options: SharedOptions, onEnd: () => void) {
    this.#choice = choice;
    this.#options = options;
    this.#onEnd = onEnd;
  }

  lease(onProgress: (progress: Progress) => void, releaseAfter: () => number): Lease {
    clearTimeout(this.#timer);
    const listener = (progress: Progress) => onProgress(progress);
    this.#listeners.add(listener);
    return {
      ask: (work) => this.#ask(work),
      release: () => {
        if (!this.#listeners.delete(listener) || this.#listeners.size > 0) return;
        this.#timer = setTimeout(() => this.#end(), releaseAfter());
      },
    };
  }

  async #ask<T>(work: (model: Narvl) => Promise<T>): Promise<T> {
    const model = await this.#load();
    try {
      return await work(model);
    } catch (error) {
      if (!isLost(error)) throw error;
      return work(model);
    }
  }

  #load(): Promise<Narvl> {
    if (this.#loading) return this.#loading;
    const { url, weights } = this.#choice;
    const { device, ...others } = this.#options;
    const chosen = device === 'auto' ? {} : device;
    const loading = Narvl.load(url, {
      ...others,
      ...(weights ? { device: { ...chosen, weightBits: weights } } : { device }),
      signal: this.#ending.signal,
      onProgress: (progress) => {
        for (const listener of this.#listeners) listener(progress);
      },
    });
    this.#loading = loading;
    loading.catch(() => {
      this.#loading = undefined; // The next who asks tries again.
    });
    return loading;
  }

  #end(): void {
    this.#onEnd();
    this.#ending.abort();
    this.#loading?.then(
      (model) => model.dispose(),
      () => {},
    );
  }
}
