/** The shipped model in a real worker on a real WebGPU device: captions, their cost, their fallback. */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Caption, Narvl, NarvlError, type Progress } from '../../src/index.ts';
import { jpeg, picture } from './images.ts';

const MODEL = '/models/narvl-photo/';
const LAYERS = 4;
const SLOTS = 32;

let narvl: Narvl;
const progress: Progress[] = [];

beforeAll(async () => {
  narvl = await Narvl.load(MODEL, { onProgress: (step) => progress.push(step) });
});

afterAll(() => narvl.dispose());

const ids = (caption: Caption) => caption.tokens.map((token) => token.id);

describe('load', () => {
  it('counts bytes up to the total and ends ready', () => {
    const last = progress.at(-1);
    expect(last?.stage).toBe('ready');
    expect(last?.loaded).toBe(last?.total);
    expect(last?.total).toBeGreaterThan(1e6);
    const loaded = progress.map((step) => step.loaded);
    expect(loaded).toEqual([...loaded].sort((a, b) => a - b));
  });

  it('says how long each stage took', () => {
    const { load } = narvl.info;
    const { script, total, ...stages } = load;
    expect(script).toBeGreaterThan(0);
    for (const stage of ['download', 'compile', 'upload'] as const) {
      expect(stages[stage]).toBeGreaterThan(0);
    }
    // Of what is not done here: the encoder is onnxruntime's, and a software adapter is not tuned for.
    expect(stages).toMatchObject({ read: 0, tune: 0 });
    for (const time of Object.values(stages)) expect(script + time).toBeLessThanOrEqual(total);
  });

  it('puts the decoder on the adapter that is there', () => {
    expect(narvl.info.device.decoder).toBe('webgpu');
    expect(narvl.info.device.adapter).not.toBe('');
  });

  it('tries the kernels out if it is to, and remembers', async () => {
    const tunings = await caches.open('narvl-tunings');
    for (const key of await tunings.keys()) await tunings.delete(key);
    const image = await jpeg(320, 200, 1);
    const plain = await narvl.caption(image);
    for (const remembered of [0, 1]) {
      expect(await tunings.keys()).toHaveLength(remembered);
      const tuned = await Narvl.load(MODEL, { device: { tune: true } });
      expect([32, 16]).toContain(tuned.info.device.weightBits);
      const [key] = await tunings.keys();
      const kept = key && (await (await tunings.match(key))?.text());
      expect(kept).toContain(`${tuned.info.device.weightBits} bits`);
      expect(tuned.info.load.tune > 0).toBe(remembered === 0);
      const { posteriors: got } = await tuned.caption(image, { posteriors: true });
      const { posteriors: wanted } = await narvl.caption(image, { posteriors: true });
      expect(got?.tokens[0]?.[0]).toBe(wanted?.tokens[0]?.[0]);
      tuned.dispose();
    }
    expect(plain.device.weightBits).toBe(32);
  });

  it('takes weights of fewer bits, and refuses others', async () => {
    const image = await jpeg(320, 200, 1);
    const wanted = await narvl.caption(image, { posteriors: true, search: 'greedy' });
    const small = await Narvl.load(MODEL, { device: { weightBits: 16 } });
    const got = await small.caption(image, { posteriors: true, search: 'greedy' });
    small.dispose();
    expect(got.device.weightBits).toBe(16);
    const first = ({ posteriors }: Caption) =>
      posteriors?.logProbs.map((slot) => slot[0] ?? 0) ?? [];
    first(got).forEach((logProb, slot) => {
      expect(logProb).toBeCloseTo(first(wanted)[slot] ?? 0, 1);
    });
    await expect(Narvl.load(MODEL, { device: { weightBits: 4 as 8 } })).rejects.toMatchObject({
      code: 'invalid-argument',
    });
    await expect(
      Narvl.load(MODEL, { device: { weightBits: 8, tune: true } }),
    ).rejects.toMatchObject({ code: 'invalid-argument' });
  });

  it('says what is wrong with an address that has no model', async () => {
    const error = await Narvl.load('/models/none/').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(NarvlError);
    expect(['download-failed', 'invalid-model']).toContain((error as NarvlError).code);
  });

  it('says what of a choice of devices there is not', async () => {
    const choices = [{ decoder: 'cpu' }, { encoder: 'gpu' }, { decoders: 'wasm' }, 'webgpu'];
    for (const device of choices) {
      await expect(
        Narvl.load(MODEL, { device: device as { decoder: 'wasm' } }),
      ).rejects.toMatchObject({
        code: 'invalid-argument',
        message: expect.stringMatching(/^device.*expected/),
      });
    }
  });

  it('starts nothing for a signal that has spoken', async () => {
    const started = vi.spyOn(globalThis, 'Worker');
    const signal = AbortSignal.abort();
    await expect(Narvl.load(MODEL, { signal })).rejects.toMatchObject({ code: 'aborted' });
    expect(started).not.toHaveBeenCalled();
    started.mockRestore();
  });

  it('stops when its signal does', async () => {
    const controller = new AbortController();
    const loading = Narvl.load(MODEL, { signal: controller.signal });
    controller.abort();
    await expect(loading).rejects.toMatchObject({ code: 'aborted' });
  });
});

describe('caption', () => {
  it('gives words, their slots, times and the device', async () => {
    const caption = await narvl.caption(await jpeg(320, 200, 1));
    expect(caption.text).not.toBe('');
    expect(caption.confidence).toBeGreaterThan(0);
    expect(caption.confidence).toBeLessThanOrEqual(1);
    expect(caption.slots).toHaveLength(SLOTS);
    expect(caption.slots.filter((slot) => slot.role === 'word').map((slot) => slot.id)).toEqual(
      ids(caption),
    );
    expect(
      caption.tokens
        .map((token) => token.text)
        .join('')
        .trim(),
    ).toBe(caption.text);
    expect(caption.device).toEqual(narvl.info.device);
    const { total, ...stages } = caption.timings;
    expect(Object.values(stages).reduce((sum, ms) => sum + ms, 0)).toBeCloseTo(total);
  });

  it('is as sure as its content words are, by the curves of the shipped model', async () => {
    const { tasks } = await (await fetch(`${MODEL}manifest.json`)).json();
    const free = new Set<number>(tasks.caption.beam.once.free);
    const { words, tokens, confidence } = await narvl.caption(await jpeg(320, 200, 1));
    const content = words.filter(
      ({ pieces: [first = -1], pieces }) => pieces.length > 1 || !free.has(tokens[first]?.id ?? -1),
    );
    expect(content.length).toBeGreaterThan(0);
    expect(content.length).toBeLessThan(words.length);
    const sum = content.reduce((total, word) => total + word.confidence, 0);
    expect(confidence).toBeCloseTo(sum / content.length, 6);
    const own = words.filter((word) => !content.includes(word)).map((word) => word.confidence);
    const [least] = tasks.caption.calibration.free.curve[0].slice(1);
    expect(Math.min(...own)).toBeGreaterThanOrEqual(least);
  });

  it('keeps to its budget of dispatches, submits and bytes', async () => {
    const { cost } = await narvl.caption(picture(224, 224, 2), { search: 'greedy' });
    expect(cost.dispatches).toBeGreaterThan(0);
    expect(cost.dispatches).toBeLessThanOrEqual(8 * LAYERS + 4);
    expect(cost.submits).toBe(1);
    expect(cost.bytesRead).toBeGreaterThan(0);
    expect(cost.bytesRead).toBeLessThanOrEqual(1024);
    const wide = await narvl.caption(picture(224, 224, 2), { posteriors: true });
    expect(wide.cost.bytesRead).toBeLessThanOrEqual(1024);
    expect(wide.posteriors?.tokens).toHaveLength(SLOTS);
  });

  it('takes every kind of picture, and leaves the caller its own', async () => {
    const canvas = picture(120, 80, 3);
    const context = canvas.getContext('2d');
    const bitmap = await createImageBitmap(canvas);
    const blob = await canvas.convertToBlob();
    const url = URL.createObjectURL(blob);
    const image = new Image();
    image.src = url;
    await image.decode();
    const pixels = context?.getImageData(0, 0, 120, 80);
    if (!pixels) throw new Error('no pixels');
    const captions = await narvl.captionBatch([canvas, bitmap, blob, url, image, pixels]);
    const [first, ...others] = captions.map((c) => (c instanceof NarvlError ? c : ids(c)));
    for (const other of others) expect(other).toEqual(first);
    expect(bitmap.width).toBe(120);
    URL.revokeObjectURL(url);
  });

  it('takes pixels of more bits, of wider colours and of many', async () => {
    const pixels = (canvas: OffscreenCanvas, settings?: object): ImageData => {
      const { width, height } = canvas;
      const read = canvas.getContext('2d')?.getImageData(0, 0, width, height, settings);
      if (!read) throw new Error('no pixels');
      return read;
    };
    const canvas = picture(120, 80, 3);
    const halves = pixels(canvas, { pixelFormat: 'rgba-float16' });
    expect(halves.data).not.toBeInstanceOf(Uint8ClampedArray);
    const wide = pixels(canvas, { colorSpace: 'display-p3' });
    expect(wide.colorSpace).toBe('display-p3');
    const large = picture(3000, 2000, 3);
    const captions = await narvl.captionBatch([canvas, halves, wide, large, pixels(large)]);
    const [plain, ...others] = captions.map((c) => (c instanceof NarvlError ? c : ids(c)));
    expect(others.slice(0, 2)).toEqual([plain, plain]);
    expect(others[3]).toEqual(others[2]);
  });

  it('runs a batch as a batch, with the answers of single calls', async () => {
    const images = [4, 5, 6].map((seed) => picture(224, 224, seed));
    const batch = await narvl.captionBatch(images);
    for (const [i, image] of images.entries()) {
      const one = await narvl.caption(image);
      const many = batch[i];
      if (!many || many instanceof NarvlError) throw many;
      expect(ids(many)).toEqual(ids(one));
      expect(many.cost.submits).toBe(1);
      expect(many.cost.dispatches).toBe(one.cost.dispatches);
    }
  });

  it.each([
    ['wasm', 200],
    ['reference', 500],
  ] as const)(
    'says the same without WebGPU: %s, a decoder pass below %i ms',
    async (decoder, most) => {
      const cpu = await Narvl.load(MODEL, { device: { encoder: 'wasm', decoder } });
      try {
        expect(cpu.info.device).toEqual({
          encoder: 'wasm',
          decoder,
          adapter: '',
          weightBits: 32,
          productBits: 32,
        });
        const times: number[] = [];
        for (const seed of [7, 8, 9]) {
          const slow = await cpu.caption(picture(224, 224, seed));
          expect(ids(slow)).toEqual(ids(await narvl.caption(picture(224, 224, seed))));
          times.push(slow.timings.decoder);
        }
        expect(Math.min(...times)).toBeLessThan(most);
      } finally {
        cpu.dispose();
      }
    },
  );

  it('gives the same answer with everything on the GPU, also after one that was cancelled under way', async () => {
    const gpu = await Narvl.load(MODEL, { device: { encoder: 'webgpu', decoder: 'webgpu' } });
    try {
      const image = await jpeg(300, 260, 10);
      const [there, here] = [await gpu.caption(image), await narvl.caption(image)];
      expect(there.device).toMatchObject({ encoder: 'webgpu', decoder: 'webgpu' });
      expect(ids(there)).toEqual(ids(here));
      // From pixels to words: three dispatches a block of vision, eight a layer behind it, twelve around.
      expect(there.cost.submits).toBe(1);
      expect(there.cost.dispatches).toBeLessThanOrEqual(3 * 21 + 8 * (3 + LAYERS) + 12);
      // The names of what is seen too.
      expect(there.cost.bytesRead).toBeLessThanOrEqual(1024 + 3 * 8);

      const controller = new AbortController();
      const dropped = gpu.caption(await jpeg(64, 64, 11), { signal: controller.signal });
      const next = gpu.caption(image);
      setTimeout(() => controller.abort(), 100);
      await expect(dropped).rejects.toMatchObject({ code: 'aborted' });
      expect(ids(await next)).toEqual(ids(here));
    } finally {
      gpu.dispose();
    }
  });

  it('refuses a task that the model does not have', async () => {
    await expect(narvl.caption(picture(8, 8, 1), { task: 'sing' })).rejects.toMatchObject({
      code: 'invalid-argument',
    });
  });
});

describe('a worker that fails', () => {
  afterEach(() => vi.restoreAllMocks());

  it('rejects what waits for it, and the next call has a new one', async () => {
    const sent = vi.spyOn(Worker.prototype, 'postMessage');
    const workers = () => [...new Set(sent.mock.contexts as Worker[])];
    const fragile = await Narvl.load(MODEL);
    try {
      const expected = ids(await fragile.caption(picture(64, 64, 18)));
      const before = sent.mock.calls.length;
      const waiting = fragile.captionBatch([19, 20, 21, 22].map((seed) => picture(64, 64, seed)));
      await vi.waitUntil(() => sent.mock.calls.length > before); // the worker has it, and is busy for a while
      workers()[0]?.dispatchEvent(new ErrorEvent('error', { message: 'out of memory' }));
      await expect(waiting).rejects.toMatchObject({ code: 'worker-failed' });
      expect(ids(await fragile.caption(picture(64, 64, 18)))).toEqual(expected);
      expect(workers()).toHaveLength(2);

      // A job that breaks in a way that nobody foresaw says nothing of what else is broken.
      const send = Worker.prototype.postMessage;
      sent.mockImplementationOnce(function (this: Worker, message, transfer) {
        const [, request] = message.argumentList;
        send.call(
          this,
          {
            ...message,
            argumentList: [
              { type: 'RAW', value: 1 },
              { ...request, value: {} },
            ],
          },
          transfer,
        );
      });
      await expect(fragile.caption(picture(64, 64, 18))).rejects.toMatchObject({
        code: 'worker-failed',
      });
      expect(ids(await fragile.caption(picture(64, 64, 18)))).toEqual(expected);
      expect(workers()).toHaveLength(3);
    } finally {
      fragile.dispose();
    }
  });
});

describe('many calls', () => {
  it('are done one after another, each with its own answer', async () => {
    const images = [11, 12, 13, 14].map((seed) => picture(224, 224, seed));
    const together = await Promise.all(images.map((image) => narvl.caption(image)));
    for (const [i, image] of images.entries()) {
      const alone = await narvl.caption(image);
      expect(together[i] && ids(together[i])).toEqual(ids(alone));
    }
  });

  it('can be cancelled one by one', async () => {
    const controller = new AbortController();
    const kept = narvl.caption(picture(64, 64, 15));
    const dropped = narvl.caption(picture(64, 64, 16), { signal: controller.signal });
    controller.abort();
    await expect(dropped).rejects.toMatchObject({ name: 'NarvlError', code: 'aborted' });
    await expect(kept).resolves.toHaveProperty('text');
  });

  it('are rejected when the model is disposed', async () => {
    const other = await Narvl.load(MODEL);
    const waiting = other.caption(picture(64, 64, 17));
    other.dispose();
    await expect(waiting).rejects.toMatchObject({ code: 'disposed' });
    await expect(other.caption(picture(64, 64, 17))).rejects.toMatchObject({ code: 'disposed' });
  });
});
