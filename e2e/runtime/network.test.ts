/** Servers that break off, stall, lie or change, and storage that is full, false or not there. */
import { afterEach, beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { cdp } from 'vitest/browser';
import { Narvl } from '../../src/index.ts';
import { downloadModel, type ModelFiles } from '../../src/model/files.ts';
import type { Asked, Behaviour } from '../network/server.ts';
import { jpeg } from './images.ts';

const CACHE = 'narvl-model-files';
const SERVER = inject('misbehaving');
const SHIPPED = '/models/narvl-photo/';

/** Every run is a folder of its own. */
let run = 0;
let folder = '';

const behave = async (behaviour: Behaviour) => {
  await fetch(`${SERVER}set/${run}/${behaviour}`);
};
const asked = async (file: string): Promise<Asked[]> => {
  const log: Asked[] = await (await fetch(`${SERVER}log/${run}`)).json();
  return log.filter((one) => one.file === file);
};

beforeEach(() => {
  run = Date.now();
  folder = `${SERVER}${run}/`;
});

afterEach(async () => {
  vi.unstubAllGlobals();
  const cache = await caches.open(CACHE);
  for (const { url } of await cache.keys()) if (url.startsWith(SERVER)) await cache.delete(url);
});

/** Not as patient as the runtime. */
const HASTY = { stall: 2000, pauses: [10, 10, 10] };

const load = async (onBytes: (loaded: number, total: number) => void = () => {}) =>
  (await downloadModel(folder, onBytes, HASTY)).all;

/** The files as they are shipped. */
let shipped: ModelFiles['files'];
beforeAll(async () => {
  const url = new URL(SHIPPED, location.href).href;
  shipped = (await (await downloadModel(url, () => {})).all).files;
});

function expectShipped({ files }: ModelFiles): void {
  for (const [name, data] of Object.entries(shipped)) {
    const there = new Uint8Array(files[name as keyof typeof files] ?? []);
    const right = new Uint8Array(data);
    expect(there.length).toBe(right.length);
    expect(there.every((byte, i) => byte === right[i])).toBe(true);
  }
}

const kept = async () => {
  const cache = await caches.open(CACHE);
  return (await cache.keys()).map(({ url }) => url).filter((url) => url.startsWith(folder));
};
const keptOf = async (file: string) => (await kept()).filter((url) => url.includes(file));

describe('a download that breaks off', () => {
  it('is gone on with where it stopped, as often as some of it comes', async () => {
    await behave('cut');
    let [last, total] = [0, 0];
    expectShipped(
      await load((loaded, all) => {
        expect(loaded).toBeGreaterThanOrEqual(last);
        [last, total] = [loaded, all];
      }),
    );
    expect(last).toBe(total);
    const requests = await asked('vision.onnx');
    expect(requests.length).toBeGreaterThan(4);
    const starts = requests.map(({ range }) => Number(range?.match(/^bytes=(\d+)-$/)?.[1] ?? 0));
    expect(starts).toEqual([...starts].sort((a, b) => a - b));
    expect(starts[1]).toBeGreaterThan(0);
  });

  it('begins anew where the server knows no ranges, without anything twice', async () => {
    await behave('cut-once');
    let [last, total] = [0, 0];
    expectShipped(
      await load((loaded, all) => {
        [last, total] = [loaded, all];
      }),
    );
    expect(last).toBe(total);
    expect(await asked('fusion.onnx')).toHaveLength(2);
  });

  it('is not used if it goes on as another file, and the next load works', async () => {
    await behave('cut-and-other');
    await expect(load()).rejects.toMatchObject({
      code: 'integrity',
      message: expect.stringMatching(/expected SHA-256/),
    });
    expect(await keptOf('from=')).toEqual([]); // Of no file: the others were of the same server.
    await behave('good');
    expectShipped(await load());
  });

  it('is given up where the server does not come back, and says how far it came', async () => {
    await behave('cut-for-good');
    await expect(load()).rejects.toMatchObject({
      code: 'download-failed',
      message: expect.stringMatching(/broke off after \d+ bytes/),
    });
    await behave('good');
    expectShipped(await load());
  });

  it.each([
    ['goes on with what is kept', false],
    ['begins anew where what is kept was changed', true],
  ])('in the next visit %s', async (_, poisoned) => {
    await behave('cut-for-good');
    await expect(load()).rejects.toMatchObject({ code: 'download-failed' });
    // Another file may have failed first, and parts are kept beside what comes.
    await vi.waitUntil(async () => (await keptOf('vision.onnx')).length > 0, { timeout: 10_000 });
    const [key = ''] = await keptOf('vision.onnx');
    expect(new URL(key).searchParams.get('from')).toBe('0');
    const cache = await caches.open(CACHE);
    const part = await cache.match(key);
    const data = new Uint8Array((await part?.arrayBuffer()) ?? []);
    expect(data.length).toBeGreaterThan(100_000);
    if (poisoned) {
      data[1000] = 1 + (data[1000] ?? 0);
      await cache.put(key, new Response(data, { headers: part?.headers ?? {} }));
    }
    await behave('good');
    expectShipped(await load());
    const { range } = (await asked('vision.onnx')).at(-1) ?? {};
    expect(range).toBe(poisoned ? undefined : `bytes=${data.length}-`);
    // The whole is kept in place of its parts.
    await vi.waitUntil(async () => (await keptOf('manifest.json')).length === 1);
    expect(await keptOf('from=')).toEqual([]);
    expect(await keptOf('vision.onnx')).toHaveLength(1);
  });

  it('has the model ready all the same', async () => {
    await behave('cut');
    const narvl = await Narvl.load(folder);
    const other = await Narvl.load(SHIPPED);
    const file = await jpeg(160, 120, 3);
    expect((await narvl.caption(file)).text).toBe((await other.caption(file)).text);
    narvl.dispose();
    other.dispose();
  });
});

describe('a server that', () => {
  it('stalls is asked again', async () => {
    await behave('stall');
    expectShipped(await load());
    expect((await asked('vision.onnx')).map(({ range }) => range)[1]).toMatch(/^bytes=\d+-$/);
  });

  it('says nothing at all is given up in a sentence, while the worker says that it lives', async () => {
    await behave('mute');
    const progress = vi.fn();
    await expect(load(progress)).rejects.toMatchObject({
      code: 'download-failed',
      message: expect.stringMatching(/manifest\.json: no answer in time/),
    });
    expect(progress).toHaveBeenCalledWith(0, 0);
  });

  it.each(['short', 'long'] as const)(
    'sends a file that is too %s is not believed',
    async (how) => {
      await behave(how);
      await expect(load()).rejects.toMatchObject({
        code: 'integrity',
        message: expect.stringMatching(/expected (at most )?\d+ bytes/),
      });
      expect(await keptOf('vision.onnx')).toEqual([]);
    },
  );

  it('is slow is waited for, and it is said how far it came', async () => {
    await behave('slow');
    const progress = vi.fn();
    const start = performance.now();
    const narvl = await Narvl.load(folder, { onProgress: progress });
    expect(performance.now() - start).toBeGreaterThan(2000); // Five pauses of the server's, for one file.
    expect(progress.mock.calls.length).toBeGreaterThan(10);
    narvl.dispose();
  });
});

describe('a model that needs more memory than it may', () => {
  it('is refused with the numbers before its weights are downloaded', async () => {
    await expect(Narvl.load(folder, { mostMemory: 1_000_000 })).rejects.toMatchObject({
      code: 'out-of-memory',
      message: expect.stringMatching(/at most 1000000 bytes of memory, got one that needs \d{8}/),
    });
    expect(await asked('manifest.json')).toHaveLength(1);
    for (const name of Object.keys(shipped)) expect(await asked(name)).toEqual([]);
    await expect(Narvl.load(folder, { mostMemory: 0 })).rejects.toMatchObject({
      code: 'invalid-argument',
    });
  });

  it('is not this one, with what an iPhone gives', async () => {
    const narvl = await Narvl.load(folder, { mostMemory: 256 << 20 });
    expect((await narvl.caption(await jpeg(160, 120, 3))).text).not.toBe('');
    const { gpuBuffers, gpuBytes, looks } = await narvl.memory();
    expect(gpuBuffers).toBeGreaterThan(10);
    expect(gpuBytes).toBeGreaterThan(1e6);
    expect(gpuBytes).toBeLessThan(256 << 20);
    expect(looks).toBe(0);
    const look = await narvl.look(await jpeg(160, 120, 3));
    expect(await narvl.memory()).toMatchObject({ looks: 1 });
    look.dispose();
    await vi.waitUntil(async () => (await narvl.memory()).looks === 0);
    narvl.dispose();
    await expect(narvl.memory()).rejects.toMatchObject({ code: 'disposed' });
  });
});

describe('storage', () => {
  it('that is poisoned is found by the hash, and the file is fetched again', async () => {
    await load();
    const cache = await caches.open(CACHE);
    await vi.waitUntil(async () => (await keptOf('manifest.json')).length === 1);
    const [key = ''] = await keptOf('vision.onnx');
    const poison = new Uint8Array(shipped['vision.onnx']).slice();
    poison[1000] = 1 + (poison[1000] ?? 0);
    await cache.put(key, new Response(poison));
    expectShipped(await load());
    expect(await asked('vision.onnx')).toHaveLength(2);
    expect(await asked('fusion.onnx')).toHaveLength(1);
    const mended = new Uint8Array((await (await cache.match(key))?.arrayBuffer()) ?? []);
    expect(mended[1000]).toBe(new Uint8Array(shipped['vision.onnx'])[1000]);
  });

  it('that is full costs the next load a download, and this one nothing', async () => {
    const session = cdp() as { send(method: string, given: object): Promise<unknown> };
    const { usage = 0 } = await navigator.storage.estimate();
    const { origin } = location;
    await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: usage + 1000 });
    try {
      const cache = await caches.open(CACHE);
      const put = cache.put(`${folder}full`, new Response(new Uint8Array(1 << 20)));
      await expect(put).rejects.toMatchObject({ name: 'QuotaExceededError' });
      expectShipped(await load());
      expect(await keptOf('vision.onnx')).toEqual([]);
      expectShipped(await load());
      expect(await asked('vision.onnx')).toHaveLength(2);
    } finally {
      await session.send('Storage.overrideQuotaForOrigin', { origin });
    }
  });

  it.each([
    ['is not there', undefined],
    ['is refused', { open: () => Promise.reject(new DOMException('private', 'SecurityError')) }],
  ])('that %s, as in private windows, is done without', async (_, storage) => {
    vi.stubGlobal('caches', storage);
    expectShipped(await load());
    expectShipped(await load());
    expect(await asked('vision.onnx')).toHaveLength(2);
    vi.unstubAllGlobals();
    expect(await kept()).toEqual([]);
  });

  it('is shared by two that load at once', async () => {
    const [here, there] = await Promise.all([load(), load()]);
    expectShipped(here);
    expectShipped(there);
    await vi.waitUntil(async () => (await keptOf('manifest.json')).length === 1);
    expect(await keptOf('vision.onnx')).toHaveLength(1);
    expectShipped(await load());
    expect((await asked('vision.onnx')).length).toBeLessThanOrEqual(2);
  });
});

describe('a new version', () => {
  it('under an open page changes nothing for it, and the next load has it', async () => {
    const open = await Narvl.load(folder);
    const file = await jpeg(160, 120, 3);
    const { text } = await open.caption(file);
    await behave('new');
    expect((await open.caption(file)).text).toBe(text);
    const next = await Narvl.load(folder);
    expect(next.info.name).toBe('new');
    expect((await next.caption(file)).text).toBe(text);
    expect((await open.caption(file)).text).toBe(text);
    expect(open.info.name).not.toBe('new');
    expect(await asked('vision.onnx')).toHaveLength(1);
    await vi.waitUntil(async () => (await keptOf('tokenizer.json')).length === 1);
    open.dispose();
    next.dispose();
  });

  it('that is half there is not used, and the one before is kept', async () => {
    await load();
    await vi.waitUntil(async () => (await keptOf('manifest.json')).length === 1);
    const before = await kept();
    // Who has the version before in the cache goes on with it while its manifest is there.
    await behave('half-new');
    expectShipped(await load());
    expect(await kept()).toEqual(before);
    // Who has nothing is told, and nothing of it is kept.
    const cache = await caches.open(CACHE);
    for (const url of before) await cache.delete(url);
    await expect(load()).rejects.toMatchObject({
      code: 'integrity',
      message: expect.stringMatching(/tokenizer\.json: expected/),
    });
    expect(await keptOf('tokenizer.json')).toEqual([]);
    await behave('new');
    expect((await load()).manifest.name).toBe('new');
  });
});
