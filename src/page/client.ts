/** The page's side: a model that is asked about images, and started again when its worker ends. */
import { transfer } from 'comlink';
import PQueue from 'p-queue';
import { isLost, NarvlError } from '../errors.ts';
import {
  type Answer,
  type Ask,
  bitmapsOf,
  type Caption,
  DEFAULT_PRIORITY,
  type DeviceChoice,
  type Entailed,
  LARGEST_BATCH,
  type Located,
  type MemoryUse,
  MOST_SCORED,
  type ModelInfo,
  type PixelLimits,
  PRIORITIES,
  type Priority,
  type Progress,
  type Replies,
  type Reply,
  type Timings,
  type WireImage,
} from '../protocol.ts';
import { abortable, throwIfAborted } from './abort.ts';
import { type ImageSource, Picture } from './image-source.ts';
import {
  type AskOptions,
  askOptions,
  type CallOptions,
  type CaptionOptions,
  Look,
  type LookOptions,
} from './look.ts';
import { Losses } from './losses.ts';
import { type OwnFileOptions, type OwnFiles, ownFiles } from './own-files.ts';
import { Session, toError } from './session.ts';
import { absoluteUrl } from './urls.ts';
import { type LiveCaption, type WatchOptions, watch } from './watch.ts';

/** Longest silence of a worker that has something to do, before it counts as hung. */
const PATIENCE_MS = 120_000;

/** What a browser's timers count to. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** How a model is loaded. */
export interface LoadOptions extends OwnFileOptions, PixelLimits {
  /** `auto` (the default), or a device for the encoder, the decoder or both. */
  readonly device?: 'auto' | DeviceChoice | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /**
   * Milliseconds for which the worker may be silent while it has something to do, before it counts as
   * hung and is replaced; 120,000 if left out, which the slowest device does not take for a job.
   */
  readonly patience?: number | undefined;
  /**
   * Bytes of memory that the model may need at least, by its manifest: its files while they load, and the
   * decoder's weights. One that needs more is refused before it is downloaded. Any if left out.
   */
  readonly mostMemory?: number | undefined;
}

/** A look as its worker keeps it. */
interface KeptLook {
  readonly session: Session;
  readonly name: number;
  readonly timings: Timings;
}

/**
 * A loaded model in a worker of its own.
 *
 * Jobs run one after another however many are asked for, those of a higher `priority` first. If the
 * worker dies, hangs or loses the GPU, a fresh one is started from the cached files, and each call that was
 * waiting is made once more. It is rejected with `worker-failed` or `device-lost` if that is lost too, or if its
 * picture cannot be had again, as a canvas or a video may show another by then. After three
 * losses within a minute the GPU is given up: `device` of every result says so from then on.
 */
export class Narvl {
  readonly #url: string;
  readonly #options: LoadOptions;
  readonly #files: OwnFiles;
  #opening: Promise<Session> | undefined;
  #session: Session | undefined;
  #disposed = false;
  #looks = 0;
  /** Why there is no GPU any more. */
  #fallback: string | undefined;
  readonly #losses = new Losses();
  /** Calls whose pixels are made in their turn: the next is made ready while one is being read. */
  readonly #turns = new PQueue({ concurrency: 2 });
  #info: ModelInfo | undefined;

  private constructor(url: string, options: LoadOptions) {
    this.#url = url;
    this.#options = options;
    this.#files = ownFiles(options);
  }

  /**
   * Load the model in the folder at `url`.
   * @throws NarvlError `download-failed`, `integrity`, `invalid-model`, `webgpu-unavailable`,
   * `invalid-argument`, `out-of-memory`, `aborted` or `worker-failed`.
   */
  static async load(url: string | URL, options: LoadOptions = {}): Promise<Narvl> {
    throwIfAborted(options.signal);
    checkPatience(options.patience);
    checkMostMemory(options.mostMemory);
    const narvl = new Narvl(folderUrl(url), options);
    try {
      await abortable(narvl.#openTwice(), options.signal);
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
  async caption(image: ImageSource, options: CaptionOptions = {}): Promise<Caption> {
    return this.#askImage(image, { kind: 'caption', task: options.task }, options);
  }

  /**
   * The captions of many images, which run through the network together. One that cannot be read
   * has its error in its place. @throws NarvlError for what concerns them all.
   */
  async captionBatch(
    images: readonly ImageSource[],
    options: CaptionOptions = {},
  ): Promise<(Caption | NarvlError)[]> {
    return this.#askImages(images, { kind: 'caption', task: options.task }, options);
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
   * Where in an image a phrase's thing is. Who has more than one phrase looks first.
   * @throws NarvlError as `caption` does; `invalid-argument` also for a phrase that has no words or too
   * many, and if the model points at nothing.
   */
  async locate(image: ImageSource, phrase: string, call: LookOptions = {}): Promise<Located> {
    return this.#askImage(image, { kind: 'locate', phrase }, call);
  }

  /**
   * Whether a statement follows from an image. Who has more than one statement looks first.
   * @throws NarvlError as `caption` does; `invalid-argument` also for a statement that has no words or
   * too many, and if the model judges none.
   */
  async entails(image: ImageSource, statement: string, call: LookOptions = {}): Promise<Entailed> {
    return this.#askImage(image, { kind: 'entail', statement }, call);
  }

  /**
   * Look at an image once, to ask many things of it. A look is kept until it is disposed, and at
   * most 64 are. @throws NarvlError as `caption` does, and `too-many-looks`.
   */
  async look(image: ImageSource, { signal, priority }: LookOptions = {}): Promise<Look> {
    throwIfAborted(signal);
    checkPriority(priority);
    const picture = new Picture(image);
    let kept = await this.#look(picture, { signal, priority });
    let disposed = false;
    // All that is asked of it meanwhile waits for one new look.
    let again: Promise<void> | undefined;
    const lookAgain = async () => {
      kept = await this.#look(picture, { priority });
      if (disposed) kept.session.forget(kept.name);
    };
    return new Look(kept.timings, {
      ask: async (ask, options) => {
        const asked = kept;
        try {
          return await this.#askLook(asked, ask, options);
        } catch (error) {
          if (!isLost(error) || !asked.session.over) throw error;
          if (!picture.lasts || this.#disposed) throw lookLost(error);
          if (kept === asked) {
            again ??= lookAgain().finally(() => {
              again = undefined;
            });
            await abortable(again, options.signal);
          }
          return await this.#askLook(kept, ask, options);
        }
      },
      forget: () => {
        disposed = true;
        kept.session.forget(kept.name);
      },
    });
  }

  async #look(picture: Picture, { signal, priority }: LookOptions): Promise<KeptLook> {
    const name = ++this.#looks;
    return this.#withPictures([picture], { signal, priority }, async (session, [wired]) => {
      if (!wired || wired instanceof NarvlError) throw wired;
      const request = transfer({ image: wired, look: name, priority }, bitmapsOf([wired]));
      try {
        const timings = await session.call((api, job) => api.look(job, request), signal);
        return { session, name, timings };
      } catch (error) {
        session.forget(name); // The worker may have finished it before it heard that no one waits.
        throw error;
      }
    });
  }

  /**
   * Captions of a video while it plays, a camera's or a film's: of each frame as soon as the one before
   * is answered, and of none that went by meanwhile. It pauses while the page is hidden and ends with
   * the video, with `break` or with the signal. Nothing is done until it is iterated, and then no faster
   * than it is: `for await (const { text } of narvl.watch(video)) …`.
   *
   * The text is steady: it changes at most once a second, and only when others are likelier for some
   * frames in a row; at a cut, two.
   * @throws NarvlError `invalid-argument` here; the iteration's are those of `look` and `Look.caption`.
   * A worker that is lost costs a frame; one that is lost twice in a row ends it.
   */
  watch(
    video: HTMLVideoElement,
    options: WatchOptions = {},
  ): AsyncGenerator<LiveCaption, void, undefined> {
    return watch(this, video, options);
  }

  async #askImage<A extends Ask>(
    image: ImageSource,
    ask: A,
    options: AskOptions,
  ): Promise<Replies[A['kind']]> {
    const [result] = await this.#askImages([image], ask, options);
    if (!result) throw new NarvlError('worker-failed', 'The worker left out the image');
    if (result instanceof NarvlError) throw result;
    return result;
  }

  async #askImages<A extends Ask>(
    images: readonly ImageSource[],
    ask: A,
    options: AskOptions,
  ): Promise<(Replies[A['kind']] | NarvlError)[]> {
    throwIfAborted(options.signal);
    checkPriority(options.priority);
    const results: (Replies[A['kind']] | NarvlError)[] = [];
    const scored = Math.floor(MOST_SCORED / (options.candidates?.length || 1));
    const some = Math.max(1, Math.min(LARGEST_BATCH, scored));
    for (let at = 0; at < images.length; at += some) {
      results.push(...(await this.#askSome(images.slice(at, at + some), ask, options)));
    }
    return results;
  }

  /** As many images as one job takes. */
  async #askSome<A extends Ask>(
    images: readonly ImageSource[],
    ask: A,
    options: AskOptions,
  ): Promise<(Replies[A['kind']] | NarvlError)[]> {
    const { signal, ...wanted } = askOptions(options);
    const pictures = images.map((image) => new Picture(image));
    const { priority } = wanted;
    return this.#withPictures(pictures, { signal, priority }, async (session, wired) => {
      const readable = wired.filter((image): image is WireImage => !(image instanceof NarvlError));
      const request = transfer({ images: readable, ask, ...wanted }, bitmapsOf(readable));
      const outcomes = [...(await session.call((api, job) => api.askImages(job, request), signal))];
      return wired.map((image) => {
        if (image instanceof NarvlError) return image;
        const outcome = outcomes.shift();
        if (!outcome) return new NarvlError('worker-failed', 'The worker left out an image');
        return outcome.ok ? replyTo(ask, outcome.value) : toError(outcome.error);
      });
    });
  }

  /**
   * Does `work` with pictures and the running session, and once more with a new one if the worker is lost
   * under it and the pictures are still the same. One that cannot be read has its error in its place.
   */
  async #withPictures<T>(
    pictures: readonly Picture[],
    { signal, priority = DEFAULT_PRIORITY }: CallOptions,
    work: (session: Session, wired: readonly (WireImage | NarvlError)[]) => Promise<T>,
  ): Promise<T> {
    const attempt = async () => {
      throwIfAborted(signal);
      const wired = await Promise.all(
        pictures.map((picture) => picture.wire(signal).catch(asNarvlError)),
      );
      try {
        return await work(await abortable(this.#open(), signal), wired);
      } finally {
        // What was not handed over.
        const there = wired.filter((image): image is WireImage => !(image instanceof NarvlError));
        for (const bitmap of bitmapsOf(there)) bitmap.close();
      }
    };
    const tryTwice = () =>
      attempt().catch((error: unknown) => {
        if (!isLost(error) || this.#disposed) throw error;
        if (!pictures.every((picture) => picture.lasts)) throw error;
        return attempt();
      });
    if (!pictures.some((picture) => picture.decodesLate)) return tryTwice();
    const turn = this.#turns.add(tryTwice, { priority: -PRIORITIES.indexOf(priority) });
    return abortable(turn, signal);
  }

  async #askLook<A extends Ask>(
    { session, name }: KeptLook,
    ask: A,
    options: AskOptions,
  ): Promise<Replies[A['kind']]> {
    const { signal, ...wanted } = askOptions(options);
    checkPriority(wanted.priority);
    const request = { look: name, ask, ...wanted };
    return replyTo(ask, await session.call((api, job) => api.askLook(job, request), signal));
  }

  /**
   * What the model holds of the GPU at this moment, and how many looks are kept.
   * @throws NarvlError `disposed`, `device-lost` or `worker-failed`.
   */
  async memory(): Promise<MemoryUse> {
    return (await this.#open()).call((api) => api.memory());
  }

  /** End the worker and free its memory. What still waits is rejected with `disposed`. */
  dispose(): void {
    this.#disposed = true;
    this.#info = undefined;
    this.#session?.end(new NarvlError('disposed', 'dispose() was called'));
  }

  /** The running session, started if there is none. */
  async #open(): Promise<Session> {
    if (this.#disposed) throw new NarvlError('disposed', 'dispose() was called on this model');
    this.#opening ??= this.#start();
    return this.#opening;
  }

  /** For a load: its worker may be lost as any other. */
  async #openTwice(): Promise<Session> {
    return this.#open().catch((error: unknown) => {
      if (!isLost(error) || this.#disposed) throw error;
      return this.#open();
    });
  }

  #forget(ended: Session, error: NarvlError): void {
    if (isLost(error)) this.#fallback ??= this.#losses.count(error);
    if (ended !== this.#session) return;
    this.#session = undefined;
    this.#opening = undefined;
  }

  async #start(): Promise<Session> {
    const { device = 'auto', onProgress, mostPixels, mostMemory } = this.#options;
    const { patience = PATIENCE_MS } = this.#options;
    const { worker, wasm } = this.#files;
    const session = new Session(worker, patience, (ended, error) => this.#forget(ended, error));
    this.#session = session;
    const request = {
      url: this.#url,
      device: device === 'auto' ? {} : device,
      limits: { mostPixels },
      mostMemory,
      wasm,
      fallback: this.#fallback,
    };
    let total = 0;
    let ready = false;
    const report = (progress: Progress) => {
      if (ready) return; // It comes by another port than the answer, and may be late.
      total = progress.total;
      onProgress?.(progress);
    };
    report({ stage: 'download', loaded: 0, total });
    try {
      this.#info = await session.open(request, report);
      ready = true;
      onProgress?.({ stage: 'ready', loaded: total, total });
      return session;
    } catch (error) {
      session.end(asNarvlError(error));
      throw error;
    }
  }
}

/** The reply that the worker gives to such an ask; its type does not survive Comlink. */
function replyTo<A extends Ask>(_ask: A, reply: Reply): Replies[A['kind']] {
  return reply as Replies[A['kind']];
}

function folderUrl(url: string | URL): string {
  const folder = absoluteUrl(url, 'Expected the URL of a model folder');
  if (!folder.pathname.endsWith('/')) folder.pathname += '/';
  return folder.href;
}

/** The error for a look that went with its worker, and whose picture has changed since. */
function lookLost(error: NarvlError): NarvlError {
  const { code, message } = error;
  return new NarvlError(code, `${message}; its looks went with it: look at the image again`, {
    cause: error,
  });
}

function checkPriority(priority: Priority | undefined): void {
  if (priority === undefined || PRIORITIES.includes(priority)) return;
  throw new NarvlError(
    'invalid-argument',
    `Expected a priority of ${PRIORITIES.join(', ')}, got ${JSON.stringify(priority)}`,
  );
}

function checkPatience(patience = PATIENCE_MS): void {
  if (patience > 0 && patience <= LONGEST_TIMER_MS) return;
  throw new NarvlError(
    'invalid-argument',
    `Expected a patience of 1 to ${LONGEST_TIMER_MS} milliseconds, got ${String(patience)}`,
  );
}

function checkMostMemory(bytes = Number.POSITIVE_INFINITY): void {
  if (bytes > 0) return;
  throw new NarvlError(
    'invalid-argument',
    `mostMemory: expected a positive number of bytes, got ${String(bytes)}`,
  );
}

function asNarvlError(error: unknown): NarvlError {
  if (error instanceof NarvlError) return error;
  return new NarvlError('worker-failed', error instanceof Error ? error.message : String(error), {
    cause: error,
  });
}
