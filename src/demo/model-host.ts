/** Holds the model that the page captions with, through loading, failing and changing device. */
import {
  type Caption,
  type DeviceChoice,
  type ImageSource,
  Narvl,
  NarvlError,
  type Progress,
} from '../index.ts';

/** Who shows how the model is doing. */
export interface ModelView {
  progress(progress: Progress): void;
  ready(device: Caption['device']): void;
  failed(error: NarvlError): void;
}

/** One model at a time. Captions asked for before it is there, or while it changes, wait for it. */
export class ModelHost {
  readonly #url: string;
  readonly #view: ModelView;
  #model: Narvl | undefined;
  #loading: AbortController | undefined;
  #waiting: ((model: Narvl) => void)[] = [];

  constructor(url: string, view: ModelView) {
    this.#url = url;
    this.#view = view;
  }

  /** Load the model on these devices, in place of the one there is. */
  async load(device: DeviceChoice): Promise<void> {
    this.#loading?.abort();
    this.#model?.dispose();
    this.#model = undefined;
    this.#loading = new AbortController();
    const { signal } = this.#loading;
    const onProgress = (progress: Progress) => {
      if (signal.aborted) return;
      // A worker that died is started again by the next caption, and then reports as at first.
      if (progress.stage === 'ready' && this.#model) this.#view.ready(this.#model.info.device);
      else this.#view.progress(progress);
    };
    this.#view.progress({ stage: 'download', loaded: 0, total: 0 });
    try {
      const model = await Narvl.load(this.#url, { device, signal, onProgress });
      if (signal.aborted) {
        model.dispose();
        return;
      }
      this.#model = model;
      this.#view.ready(model.info.device);
      for (const resolve of this.#waiting.splice(0)) resolve(model);
    } catch (error) {
      if (!signal.aborted) this.#view.failed(asNarvlError(error));
    }
  }

  /** The caption of a photo; `onStart` is called as soon as there is a model to ask. */
  async caption(image: ImageSource, signal: AbortSignal, onStart: () => void): Promise<Caption> {
    for (;;) {
      const model =
        this.#model ?? (await new Promise<Narvl>((resolve) => this.#waiting.push(resolve)));
      onStart();
      try {
        return await model.caption(image, { signal });
      } catch (error) {
        // Disposed under way because another device was chosen: ask again there.
        if (model === this.#model || signal.aborted) throw error;
      }
    }
  }
}

/** Everything the library throws is typed already; what else may come is a fault of the page. */
export function asNarvlError(error: unknown): NarvlError {
  if (error instanceof NarvlError) return error;
  return new NarvlError('worker-failed', String(error), { cause: error });
}
