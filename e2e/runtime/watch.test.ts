/** Watching a video: the shipped model on a canvas's stream, which is cut, hidden and ended. */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type LiveCaption, Narvl, type NarvlError } from '../../src/index.ts';

const MODEL = '/models/narvl-photo/';
const CAT = '/samples/cat.jpg';
const RACCOON = '/samples/raccoon.jpg';

let narvl: Narvl;
let film: Film;

beforeAll(async () => {
  narvl = await Narvl.load(MODEL);
});

afterAll(() => narvl.dispose());

afterEach(() => {
  vi.restoreAllMocks();
  show('visible');
  film.end();
});

/** A video that shows pictures, thirty a second, as a camera would. */
interface Film {
  readonly video: HTMLVideoElement;
  /** Show another picture from the next frame on. */
  cut(url: string): Promise<void>;
  end(): void;
}

async function load(url: string): Promise<ImageBitmap> {
  return createImageBitmap(await (await fetch(url)).blob());
}

async function startFilm(url: string): Promise<Film> {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [320, 240];
  const context = canvas.getContext('2d');
  if (!context) throw new Error('no canvas');
  let shown = await load(url);
  let tick = 0;
  const draw = () => {
    context.drawImage(shown, 0, 0, 320, 240);
    context.fillRect(tick++ % 320, 0, 1, 1); // A frame like the one before is not sent.
  };
  draw();
  const timer = setInterval(draw, 1000 / 30);
  const stream = canvas.captureStream();
  const video = document.createElement('video');
  video.muted = true;
  video.srcObject = stream;
  document.body.append(video);
  await video.play();
  return {
    video,
    cut: async (next) => {
      shown = await load(next);
      draw();
    },
    end: () => {
      clearInterval(timer);
      for (const track of stream.getTracks()) track.stop();
      video.remove();
    },
  };
}

/** Has the page say that it is hidden or seen: in a Chromium without a window it always is. */
function show(visibilityState: DocumentVisibilityState): void {
  Object.defineProperty(document, 'visibilityState', {
    configurable: true,
    get: () => visibilityState,
  });
  document.dispatchEvent(new Event('visibilitychange'));
}

describe('a watched video', () => {
  it('keeps its text on a still scene and follows a cut within two frames', async () => {
    film = await startFilm(CAT);
    const look = vi.spyOn(narvl, 'look');
    const said: LiveCaption[] = [];
    const heard: string[] = [];
    const onCaption = ({ text }: LiveCaption) => heard.push(text);
    const start = performance.now();
    let cut = Infinity;
    for await (const live of narvl.watch(film.video, { onCaption })) {
      said.push(live);
      expect(look).toHaveBeenCalledTimes(said.length); // Nothing waits behind a frame.
      if (cut === Infinity && said.length >= 4 && performance.now() - start > 2000) {
        await film.cut(RACCOON);
        cut = said.length;
      }
      // One frame more, which may have been on its way through the video when it was cut.
      if (said.length === cut + 3) break;
    }
    const [before, after] = [said[0]?.text, said.at(-1)?.text];
    expect(said.slice(0, cut).map(({ text }) => text)).toEqual(new Array(cut).fill(before));
    expect(after).not.toBe(before);
    expect(heard[0]).toBe(before);
    expect(heard.at(-1)).toBe(after);
    for (const { caption, milliseconds, dropped } of said) {
      expect(milliseconds).toBeGreaterThanOrEqual(caption.timings.total);
      expect(dropped).toBeGreaterThanOrEqual(0);
    }
    expect(said[0]?.perSecond).toBe(0);
    expect(said.at(-1)?.perSecond).toBeGreaterThan(0);
    // Captions take longer than a thirtieth of a second here: some frames must have gone by.
    expect(said.reduce((sum, { dropped }) => sum + dropped, 0)).toBeGreaterThan(0);
  });

  it('rests while the page is hidden, and a rest is no slowness', async () => {
    film = await startFilm(CAT);
    const frames = narvl.watch(film.video);
    await frames.next();
    show('hidden');
    const next = frames.next();
    const late = new Promise((resolve) => setTimeout(resolve, 2000, 'still resting'));
    expect(await Promise.race([next, late])).toBe('still resting');
    show('visible');
    const { value } = await next;
    expect(value).toMatchObject({ dropped: 0, perSecond: 0 });
    await frames.return();
  });

  it('answers a question of every frame, in the slots of answers', async () => {
    film = await startFilm(CAT);
    const question = 'what is this?';
    const alone = await narvl.answer(CAT, question);
    for await (const { text, caption } of narvl.watch(film.video, { question })) {
      expect(caption.slots).toHaveLength(alone.slots.length);
      expect(text).toBe(caption.text);
      break;
    }
  });

  it('ends with its signal, under way too, and with the video', async () => {
    film = await startFilm(CAT);
    const stop = new AbortController();
    const frames = narvl.watch(film.video, { signal: stop.signal });
    await frames.next();
    const last = frames.next();
    stop.abort();
    expect(await last).toEqual({ done: true, value: undefined });

    const others = narvl.watch(film.video);
    await others.next();
    film.end();
    // The one that was shown when the stream ended may still come.
    for await (const _ of others);
    let pictures = 0;
    for await (const _ of narvl.watch(film.video)) pictures++;
    expect(pictures).toBeLessThanOrEqual(1); // The picture that it ended with.
  });

  it('leaves no look behind', async () => {
    film = await startFilm(CAT);
    const look = vi.spyOn(narvl, 'look');
    let seen = 0;
    for await (const _ of narvl.watch(film.video)) if (++seen === 3) break;
    const looks = await Promise.all(look.mock.results.map(({ value }) => value));
    expect(looks).toHaveLength(3);
    for (const one of looks) {
      await expect(one.caption()).rejects.toMatchObject({ code: 'disposed' });
    }
  });

  it('is an element that tells its frames', () => {
    const image = document.createElement('img') as unknown as HTMLVideoElement;
    expect(() => narvl.watch(image)).toThrow(/Expected a video element/);
    const both = { question: 'what is this?', task: 'caption' };
    expect(() => narvl.watch(film.video, both)).toThrow(
      expect.objectContaining<Partial<NarvlError>>({ code: 'invalid-argument' }),
    );
  });
});
