/** The live view: a camera or a film, and beside it what the model sees, while it plays. */
import type { LiveCaption } from '../index.ts';
import { announce } from './announcer.ts';
import { byId, make } from './dom.ts';
import { asNarvlError } from './errors.ts';
import { count, milliseconds, percent, perSecond, sentence } from './format.ts';
import { type Film, openCamera, openFilm } from './live-source.ts';

/** Who captions a video. */
export interface Watcher {
  watch(video: HTMLVideoElement, signal: AbortSignal): AsyncIterable<LiveCaption>;
}

/** Let the visitor watch a camera or a film, one at a time. */
export function setUpLive(watcher: Watcher): void {
  const section = byId('live', HTMLElement);
  const video = byId('live-video', HTMLVideoElement);
  const title = byId('live-title', HTMLHeadingElement);
  const camera = byId('live-camera', HTMLButtonElement);
  const input = byId('live-file', HTMLInputElement);
  const view = createView();
  let watching: AbortController | undefined;

  async function start(open: () => Promise<Film>): Promise<void> {
    watching?.abort();
    const controller = new AbortController();
    watching = controller;
    const { signal } = controller;
    section.hidden = false;
    section.scrollIntoView({ block: 'start' });
    title.focus({ preventScroll: true });
    view.wait('Opening');
    try {
      const film = await open();
      if (signal.aborted) return film.close();
      signal.addEventListener('abort', () => {
        video.pause();
        film.close();
      });
      film.show(video);
      await video.play();
      view.wait('Looking');
      while (!signal.aborted) {
        for await (const live of watcher.watch(video, signal)) view.show(live);
        await event(video, 'play', signal); // A film that is over may be played again.
      }
    } catch (error) {
      if (!signal.aborted) view.fail(error);
    }
  }

  camera.addEventListener('click', () => void start(openCamera));
  byId('live-film', HTMLButtonElement).addEventListener('click', () => input.click());
  input.addEventListener('change', () => {
    const [file] = input.files ?? [];
    input.value = ''; // So that choosing the same film again is a change too.
    if (file) void start(async () => openFilm(file));
  });
  byId('live-stop', HTMLButtonElement).addEventListener('click', () => {
    watching?.abort();
    section.hidden = true;
    camera.focus();
  });
}

/** The texts and figures beside the video. */
function createView() {
  const text = byId('live-text', HTMLParagraphElement);
  const frame = byId('live-frame', HTMLParagraphElement);
  const rate = byId('live-rate', HTMLElement);
  const time = byId('live-time', HTMLElement);
  const dropped = byId('live-dropped', HTMLElement);
  let letGo = 0;

  /** Only what differs is written, or a reader would hear the same text with every frame. */
  function say(state: 'waiting' | 'text' | 'problem', what: string): void {
    if (text.textContent !== what) text.textContent = what;
    text.dataset.state = state;
  }

  return {
    wait(what: string): void {
      letGo = 0;
      say('waiting', what);
      frame.textContent = '';
      for (const fact of [rate, time, dropped]) fact.textContent = '–';
    },
    show({
      text: steady,
      caption,
      milliseconds: took,
      perSecond: pace,
      dropped: now,
    }: LiveCaption) {
      letGo += now;
      say('text', steady === '' ? 'No words for this' : sentence(steady));
      frame.replaceChildren(
        'This frame alone: ',
        make('span', {}, caption.text || 'no words'),
        ` · ${percent(caption.confidence)}`,
      );
      time.textContent = milliseconds(took);
      rate.textContent = pace > 0 ? perSecond(pace) : '–';
      dropped.textContent = count(letGo, 'frame');
    },
    fail(error: unknown): void {
      const message = error instanceof Error ? error.message : asNarvlError(error).message;
      say('problem', message);
      announce(message);
    },
  };
}

/** The next event of this kind, or the signal's end. */
function event(target: EventTarget, type: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    target.addEventListener(type, () => resolve(), { once: true, signal });
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
