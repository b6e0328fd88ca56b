/** The frames of a video as they are shown: the newest one, when there is one that nobody has seen. */

/** A frame that is there to be taken. */
export interface Frame {
  /** Frames that were shown since the last one that was taken, and went by. */
  readonly dropped: number;
  /** Whether the video or the page rested since the last one: time that says nothing of speed. */
  readonly rested: boolean;
}

/**
 * Hands out frames one at a time and never keeps one: who comes late gets the newest. The page is
 * told of nothing while it is hidden.
 */
export class Frames {
  readonly #video: HTMLVideoElement;
  readonly #stopped = new AbortController();
  #callback = 0;
  /** The browser's count of the newest frame, and of the last one that was taken. */
  #shown = 0;
  #taken = 0;
  /** Whether there is a picture that was not taken; the first may have been there before. */
  #fresh = true;
  /** Whether the video shows no more, and whether nobody wants more. */
  #ended = false;
  #closed = false;
  #rested = true;
  #wake: (() => void) | undefined;

  constructor(video: HTMLVideoElement, signal: AbortSignal | undefined) {
    this.#video = video;
    const { signal: stopped } = this.#stopped;
    const end = () => {
      this.#ended = true;
      this.#wake?.();
    };
    if (signal?.aborted) this.close();
    signal?.addEventListener('abort', () => this.close(), { signal: stopped });
    if (video.ended) end();
    video.addEventListener('ended', end, { signal: stopped });
    // A camera whose page stops it is not always said to have ended.
    const { srcObject: stream } = video;
    if (stream && 'active' in stream) {
      if (!stream.active) end();
      stream.addEventListener('inactive', end, { signal: stopped });
    }
    // Of a film that is paused from the start, or that was paused and is moved: the picture there is.
    video.addEventListener('loadeddata', () => this.#wake?.(), { signal: stopped });
    video.addEventListener('pause', () => this.#rest(), { signal: stopped });
    video.ownerDocument.addEventListener('visibilitychange', () => this.#rest(), {
      signal: stopped,
    });
    if (!this.#closed) this.#listen();
  }

  /**
   * The next frame, once it is shown and the page is; undefined if there will be none. The picture that
   * a video ends with is one too.
   */
  async next(): Promise<Frame | undefined> {
    while (!this.#closed && !this.#ended && !this.#ready) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#closed || !this.#ready) return undefined;
    const rested = this.#rested;
    const dropped = rested ? 0 : Math.max(0, this.#shown - this.#taken - 1);
    this.#taken = this.#shown;
    this.#rested = false;
    this.#fresh = false;
    return { dropped, rested };
  }

  /** Let go of the video. */
  close(): void {
    this.#closed = true;
    this.#stopped.abort();
    this.#video.cancelVideoFrameCallback(this.#callback);
    this.#wake?.();
  }

  get #ready(): boolean {
    if (this.#video.ownerDocument.visibilityState === 'hidden') return false;
    return this.#fresh && this.#video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA;
  }

  #listen(): void {
    this.#callback = this.#video.requestVideoFrameCallback((_, { presentedFrames }) => {
      // Of the first it says nothing how many were before, and another film begins to count anew.
      if (this.#shown === 0 || presentedFrames <= this.#shown) this.#taken = presentedFrames - 1;
      this.#shown = presentedFrames;
      this.#fresh = true;
      this.#listen();
      this.#wake?.();
    });
  }

  #rest(): void {
    this.#rested = true;
    this.#wake?.();
  }
}
