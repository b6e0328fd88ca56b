/** A photo that was looked at once, to be asked many things. */

import { NarvlError } from '../errors.ts';
import type { Answer, Ask, Caption, Priority, Timings, Wanted } from '../protocol.ts';
import { Ending } from './ending.ts';

/** When a call is done, and whether at all. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Before or after other calls that wait: `normal` if left out. A call that has begun is finished first. */
  readonly priority?: Priority | undefined;
}

/** How something is asked. */
export interface AskOptions extends Wanted, CallOptions {}

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

/** How an image is looked at. */
export type LookOptions = CallOptions;

/** What a look needs of the model that made it. */
export interface Looker {
  ask(ask: Ask, options: AskOptions): Promise<Caption>;
  forget(): void;
}

/**
 * What the network saw of a photo. It is kept in the worker until `dispose`, so that each thing
 * asked costs the second half of the network alone: in the answer's timings, image, preprocess and
 * vision are 0.
 *
 * It does not outlive its worker. After `worker-failed` or `device-lost` the photo has to be looked
 * at again: the page has it, the look does not.
 */
export class Look {
  /** What looking took; fusion, decoder and search are 0. */
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
  caption({ task, ...options }: CaptionOptions = {}): Promise<Caption> {
    return this.#ask({ kind: 'caption', task }, options);
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
   * How likely a text is, as a caption or as an answer: over every path through the slots that
   * spells it, exactly.
   * @returns the natural log of its probability
   * @throws NarvlError as `answer` does; `invalid-argument` also for a text that has no words or more
   * than fit into the slots.
   */
  async score(text: string, { question, task, ...call }: ScoreOptions = {}): Promise<number> {
    if (question !== undefined && task !== undefined) {
      throw new NarvlError('invalid-argument', 'Expected a question or a task, got both');
    }
    const ask: Ask =
      question === undefined ? { kind: 'caption', task } : { kind: 'answer', question };
    const { candidates } = await this.#ask(ask, { candidates: [text], ...call });
    return candidates?.[0]?.logProb ?? -Infinity;
  }

  /** Free its memory. What still waits is rejected with `disposed`. */
  dispose(): void {
    if (this.#disposal.error) return;
    this.#disposal.end(new NarvlError('disposed', 'dispose() was called on this look'));
    this.#looker.forget();
  }

  async #ask(ask: Ask, options: AskOptions): Promise<Caption> {
    if (this.#disposal.error) throw this.#disposal.error;
    return this.#disposal.before(this.#looker.ask(ask, options));
  }
}
