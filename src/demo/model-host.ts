/** Holds the model that the page asks, through loading, failing and changing device. */
import {
  type Caption,
  type CaptionOptions,
  type DeviceChoice,
  isLost,
  type LiveCaption,
  Narvl,
  type NarvlError,
  type Progress,
} from '../index.ts';
import { type Asked, type AskKind, type Found, waysOf } from './asking.ts';
import { asNarvlError } from './errors.ts';
import { Looks } from './looks.ts';
import type { Photo } from './photo.ts';

/** Who shows how the model is doing. */
export interface ModelView {
  progress(progress: Progress): void;
  ready(device: Caption['device']): void;
  failed(error: NarvlError): void;
}

/** How a photo's caption is asked for. */
export interface PhotoOptions extends CaptionOptions {
  readonly signal: AbortSignal;
  /** Called as soon as there is a model to ask. */
  readonly onStart?: () => void;
}

/** One model at a time. What is asked before it is there, or while it changes, waits for it. */
export class ModelHost {
  readonly #url: string;
  readonly #view: ModelView;
  #model: Narvl | undefined;
  #loading: AbortController | undefined;
  /** Whether the view shows how far a worker is that takes the place of one that died. */
  #restarting = false;
  readonly #looks = new Looks();
  #waiting: ((model: Narvl) => void)[] = [];

  constructor(url: string, view: ModelView) {
    this.#url = url;
    this.#view = view;
  }

  /**
   * Load the model on these devices, in place of the one there is.
   * @returns the devices that it runs on; none if it is not there, and the view has heard why.
   */
  async load(device: DeviceChoice): Promise<Caption['device'] | undefined> {
    this.#loading?.abort();
    this.#model?.dispose();
    this.#model = undefined;
    this.#restarting = false;
    this.#loading = new AbortController();
    const { signal } = this.#loading;
    const onProgress = (progress: Progress) => {
      if (signal.aborted) return;
      // A worker that died is started again by the next call, and then reports as at first.
      this.#restarting = this.#model !== undefined && progress.stage !== 'ready';
      if (progress.stage !== 'ready') this.#view.progress(progress);
      else if (this.#model) this.#view.ready(this.#model.info.device);
    };
    try {
      const model = await Narvl.load(this.#url, { device, signal, onProgress });
      if (signal.aborted) {
        model.dispose();
        return undefined;
      }
      this.#model = model;
      this.#view.ready(model.info.device);
      for (const resolve of this.#waiting.splice(0)) resolve(model);
      return model.info.device;
    } catch (error) {
      if (!signal.aborted) this.#view.failed(asNarvlError(error));
      return undefined;
    }
  }

  /** What can be asked about a photo; nothing while there is no model. */
  get asks(): AskKind[] {
    return this.#model ? waysOf(this.#model.info) : [];
  }

  /** The caption of a photo. */
  caption({ source }: Photo, { onStart, ...options }: PhotoOptions): Promise<Caption> {
    const { signal } = options;
    const write = (model: Narvl) => {
      onStart?.();
      return model.caption(source, options);
    };
    // All photos that wait go with a worker: each has one more try, in the next one.
    return this.#ask(signal, (model) =>
      write(model).catch((error: unknown) => {
        if (signal.aborted || model !== this.#model || !isLost(error)) throw error;
        return write(model);
      }),
    );
  }

  /** What is asked about a photo. */
  ask(photo: Photo, asked: Asked, signal: AbortSignal): Promise<Found> {
    return this.#ask(signal, (model) => this.#looks.ask(model, photo, asked, signal));
  }

  /** What is seen in a video, on whichever model there is; another device begins anew. */
  async *watch(video: HTMLVideoElement, signal: AbortSignal): AsyncGenerator<LiveCaption, void> {
    while (!signal.aborted) {
      const model = await this.#ask(signal, async (model) => model);
      try {
        return yield* model.watch(video, { signal, priority: 'high' });
      } catch (error) {
        if (model === this.#model || signal.aborted) throw error;
      }
    }
  }

  /** Let go of what is kept to answer questions about a photo. */
  forget(photo: Photo): void {
    this.#looks.forget(photo);
  }

  async #ask<T>(signal: AbortSignal, work: (model: Narvl) => Promise<T>): Promise<T> {
    for (;;) {
      const model =
        this.#model ?? (await new Promise<Narvl>((resolve) => this.#waiting.push(resolve)));
      try {
        return await work(model);
      } catch (error) {
        if (this.#restarting && model === this.#model && !signal.aborted) {
          this.#restarting = false;
          this.#view.failed(asNarvlError(error));
        }
        // Disposed under way because another device was chosen: ask again there.
        if (model === this.#model || signal.aborted) throw error;
      }
    }
  }
}
