/** The page's side: starts the worker, owns its life, and turns images into what it takes. */
import * as Comlink from 'comlink';
import { abortable, throwIfAborted } from './abort.ts';
import { NarvlError } from './errors.ts';
import { type ImageSource, toWire, transferables } from './images.ts';
import { type AskOptions, type CaptionOptions, Look, type LookOptions } from './look.ts';
import {
  type Answer,
  type Ask,
  type Caption,
  type DeviceChoice,
  LARGEST_BATCH,
  type ModelInfo,
  type Outcome,
  type Progress,
  type WireImage,
  type WorkerApi,
} from './protocol.ts';

/** How a model is loaded. */
export interface LoadOptions {
  /** `auto` (the default), or a device for the encoder, the decoder or both. */
  readonly device?: 'auto' | DeviceChoice | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Longest silence of a worker that has something to do, before it counts as hung. */
const WATCHDOG_MS = 120_000;

/** A worker with the model that it holds. */
interface Session {
  readonly worker: Worker;
  readonly api: Comlink.Remote<WorkerApi>;
  /** Rejects when the worker ends: a call that waits for it would wait for ever. */
  readonly ended: Promise<never>;
  /** Makes `ended` reject. */
  end(error: NarvlError): void;
}

/**
 * A loaded model in a worker of its own.
 *
 * Jobs run one after another however many are asked for. If the worker dies, hangs or loses the
 * GPU, what waits is rejected with `worker-failed` or `device-lost`, and the next call starts a
 * fresh worker from the cached files.
 */
export class Narvl {
  readonly #url: string;
  readonly #options: LoadOptions;
  #opening: Promise<{ session: Session; info: ModelInfo }> | undefined;
  #session: Session | undefined;
  #disposed = false;
  #jobs = 0;
  #looks = 0;
  #waiting = 0;
  #watchdog: ReturnType<typeof setTimeout> | undefined;
  #info: ModelInfo | undefined;

  private constructor(url: string, options: LoadOptions) {
    this.#url = url;
    this.#options = options;
  }

  /**
   * Load the model in the folder at `url`.
   * @throws NarvlError `download-failed`, `integrity`, `invalid-model`, `webgpu-unavailable`,
   * `invalid-argument`, `aborted` or `worker-failed`.
   */
  static async load(url: string | URL, options: LoadOptions = {}): Promise<Narvl> {
    const narvl = new Narvl(folderUrl(url), options);
    try {
      await abortable(narvl.#open(), options.signal);
    } catch (error) {
      narvl.dispose();
      throw error;
    }
    return narvl;
  }

  /** What the model is called, its tasks, and the devices that it runs on. */
  get info(): ModelInfo {
    if (!this.#info) throw new NarvlError('disposed', 'The model is not loaded');
    return this.#info;
  }

  /**
   * The caption of one image.
   * @throws NarvlError `invalid-argument`, `unsupported-image`, `image-too-large`,
   * `image-unreadable`, `download-failed`, `aborted`, `disposed`, `device-lost` or `worker-failed`.
   */
  async caption(image: ImageSource, { task, ...options }: CaptionOptions = {}): Promise<Caption> {
    return this.#askImage(image, { kind: 'caption', task }, options);
  }

  /**
   * The captions of many images, which run through the network together. One that cannot be read
   * has its error in its place. @throws NarvlError for what concerns them all.
   */
  async captionBatch(
    images: readonly ImageSource[],
    { task, ...options }: CaptionOptions = {},
  ): Promise<(Caption | NarvlError)[]> {
    return this.#askImages(images, { kind: 'caption', task }, options);
  }

  /**
   * The answer to a question about an image. Who has more than one question looks first.
   * @throws NarvlError as `caption` does; `invalid-argument` also for a question that has no words
   * or too many, and if the model answers none.
   */
  async answer(image: ImageSource, question: string, options: AskOptions = {}): Promise<Answer> {
    return this.#askImage(image, { kind: 'answer', question }, options);
  }

  /**
   * Look at an image once, to ask many things of it. A look is kept until it is disposed, and at
   * most 64 are. @throws NarvlError as `caption` does, and `too-many-looks`.
   */
  async look(image: ImageSource, { signal }: LookOptions = {}): Promise<Look> {
    throwIfAborted(signal);
    const wired = await toWire(image);
    const { session } = await abortable(this.#open(), signal);
    const look = ++this.#looks;
    const forget = () => void session.api.forget(look);
    const request = Comlink.transfer({ image: wired, look }, transferables([wired]));
    try {
      const timings = await this.#call(session, signal, (job) => session.api.look(job, request));
      return new Look(timings, {
        ask: (ask, options) => this.#askLook(session, look, ask, options),
        forget,
      });
    } catch (error) {
      forget(); // The worker may have finished it before it heard that no one waits.
      throw error;
    }
  }

  async #askImage(image: ImageSource, ask: Ask, options: AskOptions): Promise<Caption> {
    const [result] = await this.#askImages([image], ask, options);
    if (!result) throw new NarvlError('worker-failed', 'The worker left out the image');
    if (result instanceof NarvlError) throw result;
    return result;
  }

  async #askImages(
    images: readonly ImageSource[],
    ask: Ask,
    options: AskOptions,
  ): Promise<(Caption | NarvlError)[]> {
    throwIfAborted(options.signal);
    const results: (Caption | NarvlError)[] = [];
    for (let at = 0; at < images.length; at += LARGEST_BATCH) {
      results.push(...(await this.#askSome(images.slice(at, at + LARGEST_BATCH), ask, options)));
    }
    return results;
  }

  /** As many images as one job takes. */
  async #askSome(
    images: readonly ImageSource[],
    ask: Ask,
    { signal, ...wanted }: AskOptions,
  ): Promise<(Caption | NarvlError)[]> {
    const wired = await Promise.all(
      images.map((image) => toWire(image).catch((error: unknown) => asNarvlError(error))),
    );
    const readable = wired.filter((image): image is WireImage => !(image instanceof NarvlError));
    const { session } = await abortable(this.#open(), signal);
    const request = Comlink.transfer({ images: readable, ask, ...wanted }, transferables(readable));
    const outcomes = [
      ...(await this.#call(session, signal, (job) => session.api.askImages(job, request))),
    ];
    return wired.map((image) => {
      if (image instanceof NarvlError) return image;
      const outcome = outcomes.shift();
      if (!outcome) return new NarvlError('worker-failed', 'The worker left out an image');
      return outcome.ok ? outcome.value : toError(outcome.error);
    });
  }

  async #askLook(
    session: Session,
    look: number,
    ask: Ask,
    { signal, ...wanted }: AskOptions,
  ): Promise<Caption> {
    const request = { look, ask, ...wanted };
    try {
      return await this.#call(session, signal, (job) => session.api.askLook(job, request));
    } catch (error) {
      const { code, message } = asNarvlError(error);
      const lost = code === 'device-lost' || code === 'worker-failed';
      if (!lost || session === this.#session) throw error;
      throw new NarvlError(code, `${message}; its looks went with it: look at the image again`, {
        cause: error,
      });
    }
  }

  /** End the worker and free its memory. What still waits is rejected with `disposed`. */
  dispose(): void {
    this.#disposed = true;
    this.#stop(this.#session, new NarvlError('disposed', 'dispose() was called'));
  }

  /** The running session, started if there is none. */
  #open(): Promise<{ session: Session; info: ModelInfo }> {
    if (this.#disposed) {
      return Promise.reject(new NarvlError('disposed', 'dispose() was called on this model'));
    }
    this.#opening ??= this.#start();
    return this.#opening;
  }

  async #start(): Promise<{ session: Session; info: ModelInfo }> {
    const worker = startWorker();
    let end: (error: NarvlError) => void = () => {};
    const ended = new Promise<never>((_, reject) => {
      end = reject;
    });
    ended.catch(() => {}); // Who waits hears of it through the race in #call.
    const session: Session = { worker, api: Comlink.wrap<WorkerApi>(worker), ended, end };
    this.#session = session;
    const fail = (message: string) => this.#stop(session, new NarvlError('worker-failed', message));
    worker.addEventListener('error', ({ message }) => fail(`The worker failed: ${message}`));
    worker.addEventListener('messageerror', () =>
      fail('A message to or from the worker was unreadable'),
    );
    const { device, onProgress } = this.#options;
    const request = { url: this.#url, device: device === 'auto' || !device ? {} : device };
    const report = Comlink.proxy((progress: Progress) => {
      this.#feedWatchdog();
      onProgress?.(progress);
    });
    try {
      const info = await this.#call(session, undefined, () => session.api.open(request, report));
      this.#info = info;
      return { session, info };
    } catch (error) {
      this.#stop(session, asNarvlError(error));
      throw error;
    }
  }

  /** One call to the worker, which ends when it answers, dies, hangs or is no longer wanted. */
  async #call<T>(
    session: Session,
    signal: AbortSignal | undefined,
    send: (job: number) => Promise<Outcome<T>>,
  ): Promise<T> {
    throwIfAborted(signal);
    const job = ++this.#jobs;
    const tellWorker = () => void session.api.abort(job);
    signal?.addEventListener('abort', tellWorker, { once: true });
    this.#waiting++;
    this.#feedWatchdog();
    try {
      const outcome = await abortable(Promise.race([send(job), session.ended]), signal);
      if (outcome.ok) return outcome.value;
      const error = toError(outcome.error);
      // A lost device takes its sessions with it: only a new worker can go on.
      if (error.code === 'device-lost') this.#stop(session, error);
      throw error;
    } finally {
      signal?.removeEventListener('abort', tellWorker);
      this.#waiting--;
      this.#feedWatchdog();
    }
  }

  #feedWatchdog(): void {
    clearTimeout(this.#watchdog);
    if (this.#waiting === 0) return;
    this.#watchdog = setTimeout(() => {
      const seconds = WATCHDOG_MS / 1000;
      const silent = `The worker was silent for ${seconds} seconds`;
      this.#stop(this.#session, new NarvlError('worker-failed', silent));
    }, WATCHDOG_MS);
  }

  /**
   * End the worker, reject what waits for it, and let the next call start another. A session that
   * has ended takes no newer one with it.
   */
  #stop(session: Session | undefined, error: NarvlError): void {
    if (session !== this.#session) return;
    clearTimeout(this.#watchdog);
    session?.end(error);
    session?.worker.terminate();
    this.#session = undefined;
    this.#opening = undefined;
    if (this.#disposed) this.#info = undefined;
  }
}

/** @throws NarvlError `worker-failed` where the page's policy forbids it. */
function startWorker(): Worker {
  try {
    return new Worker(new URL('./worker/entry.ts', import.meta.url), {
      type: 'module',
      name: 'narvl',
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new NarvlError('worker-failed', `The browser refused the worker: ${reason}`, { cause });
  }
}

function folderUrl(url: string | URL): string {
  let folder: URL;
  try {
    folder = new URL(url, document.baseURI);
  } catch (cause) {
    throw new NarvlError('invalid-argument', `Expected the URL of a model folder, got ${url}`, {
      cause,
    });
  }
  if (!folder.pathname.endsWith('/')) folder.pathname += '/';
  return folder.href;
}

function toError(data: { code: NarvlError['code']; message: string }): NarvlError {
  return new NarvlError(data.code, data.message);
}

function asNarvlError(error: unknown): NarvlError {
  if (error instanceof NarvlError) return error;
  return new NarvlError('worker-failed', error instanceof Error ? error.message : String(error), {
    cause: error,
  });
}
