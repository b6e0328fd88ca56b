/** A photo that was looked at once, to be asked many things. */

import { NarvlError } from '../errors.ts';
import type {
  Answer,
  Ask,
  Caption,
  Entailed,
  Located,
  Priority,
  Replies,
  Timings,
  Wanted,
} from '../protocol.ts';
import { Ending } from './ending.ts';

/** When a call is done, and whether at all. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Before or after other calls that wait: `normal` if left out. A call that has begun is finished first. */
  readonly priority?: Priority | undefined;
}

/** How something is asked. */
export interface AskOptions extends Wanted, CallOptions {}

/**
 * The options that there are, each read by its name: an object may have inherited them, and have others that
 * no worker can be sent.
 */
export function askOptions(options: AskOptions): AskOptions {
  const { search, alternatives, candidates, explain, posteriors, signal, priority } = options;
  return { search, alternatives, candidates, explain, posteriors, signal, priority };
}

/** How a caption is asked for. */
export interface CaptionOptions extends AskOptions {
  /** A task of the model's manifest, such as another style; the first if left out. */
  readonly task?: string | undefined;
}

/** What a text is scored as. */
export interface ScoreOptions extends CallOptions {
  /** As the answer to this question; without one, as a caption. */
  readonly question?: string | undefined;
  /** As a caption of this task; the first if left out. */
  readonly task?: string | undefined;
}

/** How an image is looked at, a phrase located in it, or a statement judged. */
export type LookOptions = CallOptions;

/** What a look needs of the model that made it. */
export interface Looker {
  ask<A extends Ask>(ask: A, options: AskOptions): Promise<Replies[A['kind']]>;
  forget(): void;
}

/**
 * What the network saw of a photo. It is kept in the worker until `dispose`, so that each thing
 * asked costs the second half of the network alone: in the answer's timings, image, preprocess and
 * vision are 0.
 *
 * If its worker is lost, what is asked next looks at the photo again, for which the look keeps the image that
 * it was made of. Where that may show another photo by then, a canvas or a video, it fails with
 * `worker-failed` or `device-lost`.
 */
export class Look {
  /** What looking took; fusion, decoder, network and search are 0. */
  readonly timings: Timings;
  readonly #looker: Looker;
  readonly #disposal = new Ending();

  /** Looks are made by `Narvl.look`. */
  constructor(timings: Timings, looker: Looker) {
    this.timings = timings;
    this.#looker = looker;
  }

  /**
   * The photo's caption.
   * @throws NarvlError `invalid-argument`, `aborted`, `disposed`, `device-lost` or `worker-failed`.
   */
  caption(options: CaptionOptions = {}): Promise<Caption> {
    return this.#ask({ kind: 'caption', task: options.task }, options);
  }

  /**
   * The answer to a question about the photo.
   * @throws NarvlError as `caption` does; `invalid-argument` also for a question that has no words
   * or too many, and if the model answers none.
   */
  answer(question: string, options: AskOptions = {}): Promise<Answer> {
    return this.#ask({ kind: 'answer', question }, options);
  }

  /**
   * Where in the photo a phrase's thing is: the box that is expected to overlap most with it; of a model without
   * a phrase map the likeliest of all by its exact probability. There always is one, of what is not there
   * with little confidence.
   * @throws NarvlError as `caption` does; `invalid-argument` also for a phrase that has no words or too
   * many, and if the model points at nothing.
   */
  locate(phrase: string, call: LookOptions = {}): Promise<Located> {
    return this.#ask({ kind: 'locate', phrase }, call);
  }

  /**
   * Whether a statement follows from the photo, may be true, or is contradicted by it.
   * @throws NarvlError as `caption` does; `invalid-argument` also for a statement that has no words or
   * too many, and if the model judges none.
   */
  entails(statement: string, call: LookOptions = {}): Promise<Entailed> {
    return this.#ask({ kind: 'entail', statement }, call);
  }

  /**
   * How likely a text is, as a caption or as an answer: over every path through the slots that
   * spells it, exactly.
   * @returns the natural log of its probability
   * @throws NarvlError as `answer` does; `invalid-argument` also for a text that has no words or more
   * than fit into the slots.
   */
  async score(text: string, options: ScoreOptions = {}): Promise<number> {
    const { question, task, signal, priority } = options;
    if (question !== undefined && task !== undefined) {
      throw new NarvlError('invalid-argument', 'Expected a question or a task, got both');
    }
    const asked = { candidates: [text], signal, priority };
    const { candidates } = await (question === undefined
      ? this.caption({ task, ...asked })
      : this.answer(question, asked));
    return candidates?.[0]?.logProb ?? -Infinity;
  }

  /** Free its memory. What still waits is rejected with `disposed`. */
  dispose(): void {
    if (this.#disposal.error) return;
    this.#disposal.end(new NarvlError('disposed', 'dispose() was called on this look'));
    this.#looker.forget();
  }

  async #ask<A extends Ask>(ask: A, options: AskOptions): Promise<Replies[A['kind']]> {
    if (this.#disposal.error) throw this.#disposal.error;
    return this.#disposal.before(this.#looker.ask(ask, options));
  }
}
