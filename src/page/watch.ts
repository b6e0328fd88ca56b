/**
 * A video, captioned while it plays: one frame at a time, the newest there is, as fast as they are
 * answered. A frame is looked at once; its caption and how likely the shown text still is are asked of
 * that look.
 */
import { isLost, NarvlError } from '../errors.ts';
import { normalise } from '../model/text.ts';
import type { Caption } from '../protocol.ts';
import { Frames } from './frames.ts';
import type { CallOptions, Look, LookOptions } from './look.ts';
import { Pace } from './pace.ts';
import { Steady } from './steady.ts';

/** How a video is watched. */
export interface WatchOptions extends Pick<CallOptions, 'priority'> {
  /** Ends the iteration, at once and without an error. */
  readonly signal?: AbortSignal | undefined;
  /** Called with each new text, before it is yielded. */
  readonly onCaption?: ((live: LiveCaption) => void) | undefined;
  /** A caption task of the model's manifest, such as another style; the first if left out. */
  readonly task?: string | undefined;
  /** Answer this question about every frame, instead of captioning it. */
  readonly question?: string | undefined;
}

/** What is to be shown after a frame. */
export interface LiveCaption {
  /** To be shown: it changes only when another text has been likelier for long enough. */
  readonly text: string;
  /** What this frame says, taken alone. */
  readonly caption: Caption;
  /** From the frame's being taken to this: waiting for the model, two passes where it disagrees. */
  readonly milliseconds: number;
  /** Frames a second that are captioned, over the last few; 0 of the first. */
  readonly perSecond: number;
  /** Frames that the video showed since the one before and nobody looked at. */
  readonly dropped: number;
}

/** What looks at frames. */
export interface Looker {
  look(image: HTMLVideoElement, options: LookOptions): Promise<Look>;
}

/** @throws NarvlError `invalid-argument` if that is no video, or the browser cannot tell its frames. */
export function watch(
  model: Looker,
  video: HTMLVideoElement,
  options: WatchOptions,
): AsyncGenerator<LiveCaption, void, undefined> {
  const { task, question } = options;
  // Asked of the object and not of its class, which is another one in another frame.
  if (typeof video?.requestVideoFrameCallback !== 'function') {
    throw new NarvlError(
      'invalid-argument',
      'Expected a video element in a browser that has requestVideoFrameCallback',
    );
  }
  if (question !== undefined && task !== undefined) {
    throw new NarvlError('invalid-argument', 'Expected a question or a task, got both');
  }
  return frameByFrame(model, video, options);
}

async function* frameByFrame(
  model: Looker,
  video: HTMLVideoElement,
  options: WatchOptions,
): AsyncGenerator<LiveCaption, void, undefined> {
  const { onCaption, task, question, signal, priority } = options;
  const asked = { task, question, signal, priority };
  const frames = new Frames(video, signal);
  const steady = new Steady();
  const pace = new Pace();
  /** Whether a frame came through since a worker was lost: the next look starts another. */
  let hopeful = true;
  try {
    for (;;) {
      const frame = await frames.next();
      if (!frame) return;
      if (frame.rested) pace.restart();
      const start = performance.now();
      let reading: Reading;
      try {
        reading = await read(model, video, steady.text, asked);
        hopeful = true;
      } catch (error) {
        if (signal?.aborted) return;
        if (!isLost(error) || !hopeful) throw error;
        hopeful = false;
        continue;
      }
      const { caption, said, lead } = reading;
      const now = performance.now();
      const changed = steady.observe(said, lead, now);
      const live: LiveCaption = {
        text: steady.text ?? caption.text,
        caption,
        milliseconds: now - start,
        perSecond: pace.beat(now),
        dropped: frame.dropped,
      };
      if (changed) onCaption?.(live);
      yield live;
    }
  } finally {
    frames.close();
  }
}

/** A frame's own caption, and how much likelier it is there than the text that is shown. */
interface Reading {
  readonly caption: Caption;
  /** Its text, or the one that is shown where they differ in nothing that is read. */
  readonly said: string;
  /** Natural log of the ratio of their exact probabilities. */
  readonly lead: number;
}

async function read(
  model: Looker,
  video: HTMLVideoElement,
  shown: string | undefined,
  { task, question, signal, priority }: Omit<WatchOptions, 'onCaption'>,
): Promise<Reading> {
  const call = { signal, priority };
  const look = await model.look(video, call);
  try {
    const ask = (candidates?: readonly string[]) =>
      question === undefined
        ? look.caption({ task, candidates, ...call })
        : look.answer(question, { candidates, ...call });
    const caption = await ask();
    const { text: said } = caption;
    if (shown === undefined) return { caption, said, lead: 0 };
    if (normalise(shown) === normalise(said)) return { caption, said: shown, lead: 0 };
    // A text without a word has no probability to compare.
    if (shown === '' || said === '') return { caption, said, lead: Infinity };
    const { candidates = [] } = await ask([shown, said]);
    const logProb = (text: string) => candidates.find((one) => one.text === text)?.logProb;
    const [own, other] = [logProb(said) ?? -Infinity, logProb(shown) ?? -Infinity];
    return { caption, said, lead: other === -Infinity ? Infinity : own - other };
  } finally {
    look.dispose();
  }
}
