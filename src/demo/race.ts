/** The race view: the one pass and the word-by-word decoder on one photo, both clocks running. */
import { proxy, type Remote, wrap } from 'comlink';
import type { RaceResult } from '../../bench/race.ts';
import type { RaceWorker } from '../../bench/race-worker.ts';
import { announce } from './announcer.ts';
import { byId } from './dom.ts';
import { megabytes, milliseconds, sentence } from './format.ts';
import type { Photo } from './photo.ts';
import { at, duration, slowdown } from './race-replay.ts';

/** A second copy of the model is kept for another race so long, and no longer. */
const KEPT_MS = 60_000;

/** Let the visitor race. @returns what is to be told of each photo that comes: the last one is raced */
export function setUpRace(modelUrl: string): (photo: Photo) => void {
  const start = byId('race-start', HTMLButtonElement);
  const status = byId('race-status', HTMLParagraphElement);
  const image = byId('race-photo', HTMLImageElement);
  const track = createTrack();
  const runner = createRunner(new URL(modelUrl, document.baseURI).href);
  let chosen: Photo | undefined;

  function say(what: string): void {
    if (status.textContent !== what) status.textContent = what;
  }

  start.addEventListener('click', async () => {
    start.disabled = true;
    let url: string | undefined;
    try {
      const { name, source } = chosen ?? firstSample();
      const photo = typeof source === 'string' ? await (await fetch(source)).blob() : source;
      track.hide();
      say('Getting both ready');
      const result = await runner.run(photo, (loaded, total) => {
        say(`Getting both ready: ${megabytes(loaded, total)}`);
      });
      url = URL.createObjectURL(photo);
      image.src = url;
      image.alt = name;
      await image.decode();
      say(`${pace(result)} On ${result.adapter || 'your GPU'}.`);
      await track.play(result);
      const verdict = verdictOf(result);
      say(verdict);
      announce(verdict);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      say(`There is no race: ${message}`);
    } finally {
      if (url) URL.revokeObjectURL(url);
      start.disabled = false;
      start.textContent = 'Race again';
    }
  });

  return (photo) => {
    chosen = photo;
    byId('race-photo-name', HTMLElement).textContent = `“${photo.name}”`;
  };
}

function firstSample(): Photo {
  const first = document.querySelector<HTMLImageElement>('#samples img');
  if (!first) throw new Error('Add a photo first.');
  return { name: first.alt, source: first.src };
}

/** The worker that races: started for a race, kept for a while after it, and not after an error. */
function createRunner(model: string) {
  let worker: Worker | undefined;
  let remote: Remote<RaceWorker> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function end(): void {
    worker?.terminate();
    worker = undefined;
    remote = undefined;
  }

  return {
    async run(photo: Blob, onBytes: (loaded: number, total: number) => void): Promise<RaceResult> {
      clearTimeout(timer);
      worker ??= new Worker(new URL('../../bench/race-worker.ts', import.meta.url), {
        type: 'module',
        name: 'race',
      });
      remote ??= wrap<RaceWorker>(worker);
      const failed = failureOf(worker);
      try {
        const outcome = await Promise.race([remote.run(model, photo, proxy(onBytes)), failed]);
        if (!outcome.ok) throw new Error(outcome.error.message);
        timer = setTimeout(end, KEPT_MS);
        return outcome.value;
      } catch (error) {
        end();
        throw error;
      }
    },
  };
}

/** Rejects when the worker dies: what is asked of it then would be waited for for ever. */
function failureOf(worker: Worker): Promise<never> {
  return new Promise((_, reject) => {
    worker.addEventListener(
      'error',
      ({ message = 'its script could not be loaded' }) =>
        reject(new Error(`The worker failed: ${message}`)),
      { once: true },
    );
  });
}

/** Both lanes. */
function createTrack() {
  const track = byId('race-track', HTMLDivElement);
  const lanes = (['one', 'other'] as const).map((name) => ({
    name,
    clock: byId(`race-${name}-clock`, HTMLParagraphElement),
    text: byId(`race-${name}-text`, HTMLParagraphElement),
  }));

  function draw(result: RaceResult, time: number): void {
    const now = at(result, time);
    for (const { name, clock, text } of lanes) {
      const lane = now[name];
      clock.textContent = milliseconds(lane.clock);
      text.textContent = sentence(lane.text);
      clock.toggleAttribute('data-finished', lane.finished);
    }
  }

  return {
    hide(): void {
      track.hidden = true;
    },
    async play(result: RaceResult): Promise<void> {
      const end = duration(result);
      track.hidden = false;
      // Whoever wants less motion gets the end: all that there is to read.
      if (!matchMedia('(prefers-reduced-motion: reduce)').matches) {
        const slower = slowdown(result);
        const start = await frame();
        for (let now = start; (now - start) / slower < end; now = await frame()) {
          draw(result, (now - start) / slower);
        }
      }
      draw(result, end);
    },
  };
}

function frame(): Promise<number> {
  return new Promise((resolve) => requestAnimationFrame(resolve));
}

function pace(result: RaceResult): string {
  const slower = slowdown(result);
  return slower > 1
    ? `Shown ${slower} times slower than it was, or you would see nothing.`
    : 'Shown as fast as it was.';
}

function verdictOf(result: RaceResult): string {
  const { onePass, steps, unwatched, software } = result;
  const last = steps.at(-1) ?? 0;
  const ratio = last / onePass;
  const said =
    ratio >= 1
      ? `One pass took ${milliseconds(onePass)}, word after word ${milliseconds(last)}: ${ratio.toFixed(1)} times as long.`
      : `One pass took ${milliseconds(onePass)}, word after word ${milliseconds(last)}: here it was the faster one.`;
  const alone = `Left alone on the GPU, with nobody to read along, word after word took ${milliseconds(unwatched)}.`;
  const caveat = software
    ? ' This “GPU” is your CPU in disguise, which has no idle lanes for one pass to fill.'
    : '';
  return `${said} ${alone}${caveat}`;
}
