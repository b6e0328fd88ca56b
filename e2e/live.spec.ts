/**
 * The live view on Chromium's fake camera, which plays a clip that is made here of the sample photos:
 * each stands still for a while, shaken and noisy as in a hand, and is cut to the next.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, expect, type Page, test } from '@playwright/test';
import { chromiumOptions } from './chromium.ts';
import { expectAccessible, patience } from './demo-page.ts';
import { type Frame, y4mFrame, y4mHead } from './y4m.ts';

const WIDTH = 320;
const HEIGHT = 240;
const FRAMES_A_SECOND = 5;
const SECONDS_A_SCENE = 16;
const SHAKES = 8;

/** What was seen and said, in order. */
interface Record {
  /** Of each frame that was looked at, the scene that it shows, and when that was. */
  readonly looked: { scene: number; at: number }[];
  /** Of each text, when it was shown and how many frames had been looked at. */
  readonly said: { text: string; at: number; looked: number }[];
  /** Calls to the worker that look or ask a look, at a time, at most. */
  waiting: number;
}

declare global {
  interface Window {
    liveRecord?: Record;
  }
}

test.describe.configure({ mode: 'serial' });
test.setTimeout(400_000);

let folder: string;
let browser: Browser;
let page: Page;

test.beforeAll(async ({ playwright, baseURL }) => {
  folder = mkdtempSync(join(tmpdir(), 'narvl-live-'));
  const clip = join(folder, 'clip.y4m');
  const { args, ...options } = chromiumOptions();
  const maker = await playwright.chromium.launch({ args, ...options });
  try {
    const photos = await maker.newPage();
    await photos.route('**/models/**', (route) => route.abort()); // Only the photos are wanted.
    await photos.goto(baseURL ?? '');
    writeFileSync(clip, await makeClip(photos));
  } finally {
    await maker.close();
  }
  browser = await playwright.chromium.launch({
    ...options,
    args: [
      ...args,
      '--use-fake-ui-for-media-stream',
      '--use-fake-device-for-media-stream',
      `--use-file-for-fake-video-capture=${clip}`,
    ],
  });
});

test.beforeEach(async ({ baseURL }) => {
  const context = await browser.newContext({ permissions: ['camera'], reducedMotion: 'reduce' });
  page = await context.newPage();
  await page.addInitScript(keepRecord);
  await page.goto(baseURL ?? '');
});

test.afterEach(() => page.context().close());

test.afterAll(async () => {
  await browser.close();
  rmSync(folder, { recursive: true });
});

/** Two samples, each shaken for so many frames; a square in the corner says which it is. */
async function makeClip(photos: Page): Promise<Buffer> {
  const scenes: Buffer[][] = [];
  for (const [scene, sample] of [0, 3].entries()) {
    const image = photos.locator('#samples img').nth(sample);
    const shakes: Buffer[] = [];
    for (let shake = 0; shake < SHAKES; shake++) {
      const pixels = await image.evaluate(
        async (photo: HTMLImageElement, { width, height, scene, shake }) => {
          await photo.decode();
          const canvas = new OffscreenCanvas(width, height);
          const context = canvas.getContext('2d');
          if (!context) throw new Error('Expected a 2D context');
          context.filter = `brightness(${1 + 0.05 * Math.sin(shake * 2.4)})`;
          const [dx, dy] = [3 * Math.cos(shake * 1.7), 3 * Math.sin(shake * 1.1)];
          context.drawImage(photo, dx - 4, dy - 4, width + 8, height + 8);
          const image = context.getImageData(0, 0, width, height);
          // A sensor's noise, from one small generator, so that every run has the same clip.
          let seed = 1 + shake;
          for (let i = 0; i < image.data.length; i++) {
            seed = (seed * 48271) % 2147483647;
            image.data[i] = (image.data[i] ?? 0) + (seed / 2147483647 - 0.5) * 14;
          }
          context.putImageData(image, 0, 0);
          context.filter = 'none';
          context.fillStyle = scene === 0 ? 'black' : 'white';
          context.fillRect(0, 0, 16, 16);
          const bytes = context.getImageData(0, 0, width, height).data;
          let binary = '';
          for (let i = 0; i < bytes.length; i += 4096) {
            binary += String.fromCharCode(...bytes.subarray(i, i + 4096));
          }
          return btoa(binary); // As a list of numbers it would take seconds to come over.
        },
        { width: WIDTH, height: HEIGHT, scene, shake },
      );
      shakes.push(y4mFrame({ width: WIDTH, height: HEIGHT, data: Buffer.from(pixels, 'base64') }));
    }
    scenes.push(shakes);
  }
  const size: Frame = { width: WIDTH, height: HEIGHT, data: [] };
  const frames = scenes.flatMap((shakes) =>
    Array.from({ length: FRAMES_A_SECOND * SECONDS_A_SCENE }, (_, i) => shakes[i % SHAKES]),
  );
  return Buffer.concat([
    y4mHead(size, FRAMES_A_SECOND),
    ...frames.filter((one) => one !== undefined),
  ]);
}

/** Runs in the page, before its own scripts. */
function keepRecord(): void {
  const record: Record = { looked: [], said: [], waiting: 0 };
  window.liveRecord = record;
  const canvas = new OffscreenCanvas(1, 1);
  const corner = canvas.getContext('2d', { willReadFrequently: true });
  const { createImageBitmap } = window;
  window.createImageBitmap = async (...given: unknown[]) => {
    const bitmap = await Reflect.apply(createImageBitmap, window, given);
    if (given[0] instanceof HTMLVideoElement) {
      corner?.drawImage(bitmap, 4, 4, 8, 8, 0, 0, 1, 1);
      const scene = (corner?.getImageData(0, 0, 1, 1).data[0] ?? 0) > 128 ? 1 : 0;
      record.looked.push({ scene, at: performance.now() });
    }
    return bitmap;
  };

  const calls = new Set<string>();
  window.Worker = class extends Worker {
    constructor(...given: ConstructorParameters<typeof Worker>) {
      super(...given);
      this.addEventListener('message', ({ data }) => calls.delete(data?.id));
    }

    override postMessage(message: { id: string; path?: string[] }, ...rest: never[]): void {
      const [method = ''] = message.path ?? [];
      if (method === 'look' || method === 'askLook') calls.add(message.id);
      record.waiting = Math.max(record.waiting, calls.size);
      super.postMessage(message, ...rest);
    }
  };

  document.addEventListener('DOMContentLoaded', () => {
    const shown = document.querySelector('#live-text');
    if (!(shown instanceof HTMLElement)) return;
    new MutationObserver(() => {
      const text = shown.textContent ?? '';
      const { state } = shown.dataset;
      if (state !== 'text' || record.said.at(-1)?.text === text) return;
      record.said.push({ text, at: performance.now(), looked: record.looked.length });
    }).observe(shown, { childList: true, characterData: true, subtree: true, attributes: true });
  });
}

const recorded = () =>
  page.evaluate(() => {
    if (!window.liveRecord) throw new Error('Expected a record');
    return window.liveRecord;
  });

const liveText = () => page.locator('#live-text[data-state=text]');

/** So many frames more. */
async function watchOn(frames: number): Promise<void> {
  const { looked } = await recorded();
  await expect
    .poll(async () => (await recorded()).looked.length, patience)
    .toBeGreaterThanOrEqual(looked.length + frames);
}

/** Frames at which the scene is another one than that of the frame before. */
const cutsOf = (looked: Record['looked']) =>
  looked.flatMap(({ scene }, i) => (i > 0 && scene !== looked[i - 1]?.scene ? [i] : []));

test('the text of a camera is steady on a still scene and follows a cut; no frame waits', async () => {
  await page.getByRole('button', { name: 'your camera' }).click();
  await expect(liveText()).toHaveText(/\S/, patience);
  await expect
    .poll(async () => cutsOf((await recorded()).looked).length, { timeout: 240_000 })
    .toBeGreaterThanOrEqual(2);
  await watchOn(4);

  const { looked, said, waiting } = await recorded();
  const cuts = cutsOf(looked);
  test.info().annotations.push({ type: 'record', description: JSON.stringify({ looked, said }) });
  expect(waiting).toBe(1);
  for (const [i, { at }] of said.slice(1).entries()) {
    expect(at - (said[i]?.at ?? 0)).toBeGreaterThanOrEqual(1000);
  }
  // A text that is not a second old when its scene is cut has that second first.
  const clear = cuts.filter((cut) => {
    const [before] = said.filter(({ looked }) => looked <= cut).slice(-1);
    const second = looked[cut + 1];
    // The caption of the last frames may still be on its way.
    return before && second && second.at - before.at >= 1000 && cut + 3 < looked.length;
  });
  expect(clear).not.toEqual([]);
  for (const cut of clear) {
    const followed = said.find(({ looked }) => looked > cut);
    expect(followed?.looked).toBeLessThanOrEqual(cut + 2);
  }
  // What no cut explains is rare: single frames of these scenes say something else every other time.
  const own = said.slice(1).filter(({ looked: n }) => !cuts.some((cut) => n > cut && n <= cut + 2));
  expect(own.length).toBeLessThanOrEqual(looked.length / 3);
  await expect(page.locator('#live-rate')).toHaveText(/^[\d.]+ a second$/);
  await expect(page.locator('#live-time')).toHaveText(/^[\d,.]+ ms$/);
  await expect(page.locator('#live-dropped')).toHaveText(/^[\d,]+ frames?$/);
});

test('watching rests while the page is hidden, and stops with the camera', async () => {
  await page.getByRole('button', { name: 'your camera' }).click();
  await expect(liveText()).toHaveText(/\S/, patience);
  const show = (state: string) =>
    page.evaluate((visibilityState) => {
      Object.defineProperty(document, 'visibilityState', {
        configurable: true,
        get: () => visibilityState,
      });
      document.dispatchEvent(new Event('visibilitychange'));
    }, state);
  await show('hidden');
  await page.waitForTimeout(8000); // What was under way comes to its end.
  const resting = (await recorded()).looked.length;
  await page.waitForTimeout(5000);
  expect((await recorded()).looked).toHaveLength(resting);
  await show('visible');
  await watchOn(1);

  const live = await page.evaluate(() => {
    const { srcObject } = document.querySelector<HTMLVideoElement>('#live-video') ?? {};
    const [track] = srcObject instanceof MediaStream ? srcObject.getTracks() : [];
    document.querySelector<HTMLButtonElement>('#live-stop')?.click();
    return track?.readyState;
  });
  expect(live).toBe('ended');
  await expect(page.locator('#live')).toBeHidden();
  await expect(page.getByRole('button', { name: 'your camera' })).toBeFocused();
});

test('a camera that is refused says what to do', async () => {
  await page.evaluate(() => {
    navigator.mediaDevices.getUserMedia = async () => {
      throw new DOMException('Permission denied', 'NotAllowedError');
    };
  });
  await page.getByRole('button', { name: 'your camera' }).click();
  await expect(page.locator('#live-text')).toContainText('The camera was refused');
});

test('a film is captioned to its end, and again when it is played again', async () => {
  const film = await page.evaluate(async () => {
    const [photo] = document.querySelectorAll<HTMLImageElement>('#samples img');
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [160, 120];
    const context = canvas.getContext('2d');
    if (!photo || !context) throw new Error('Expected a sample and a 2D context');
    await photo.decode();
    const recorder = new MediaRecorder(canvas.captureStream(10), { mimeType: 'video/webm' });
    const parts: Blob[] = [];
    recorder.addEventListener('dataavailable', ({ data }) => parts.push(data));
    recorder.start();
    for (let i = 0; i < 30; i++) {
      context.drawImage(photo, 0, 0, 160, 120);
      context.fillRect(5 * i, 0, 4, 4);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    recorder.stop();
    await new Promise((resolve) => recorder.addEventListener('stop', resolve));
    return [...new Uint8Array(await new Blob(parts).arrayBuffer())];
  });
  const file = { name: 'film.webm', mimeType: 'video/webm', buffer: Buffer.from(film) };
  await page.locator('#live-file').setInputFiles(file);
  await expect(liveText()).toHaveText(/\S/, patience);
  const video = page.locator('#live-video');
  await expect
    .poll(() => video.evaluate((one: HTMLVideoElement) => one.ended), patience)
    .toBe(true);
  await video.evaluate((one: HTMLVideoElement) => one.play());
  await watchOn(1);

  await page
    .locator('#live-file')
    .setInputFiles({ name: 'no.webm', mimeType: 'video/webm', buffer: Buffer.from('no film') });
  await expect(page.locator('#live-text[data-state=problem]')).toHaveText(/\S/, patience);
});

test('axe finds nothing to object to, in light and dark, wide and narrow', async () => {
  await page.getByRole('button', { name: 'your camera' }).click();
  await expect(liveText()).toHaveText(/\S/, patience);
  await expectAccessible(page, page.locator('#live'), 'live');
});
