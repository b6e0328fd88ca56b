/** What people drop by mistake or malice: a typed error within a second, and the next one works. */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Narvl, type NarvlErrorCode } from '../../src/index.ts';
import { blackPng, foreignCanvas, jpeg, picture } from './images.ts';

const SECOND = 1000;

let narvl: Narvl;

beforeAll(async () => {
  narvl = await Narvl.load('/models/narvl-photo/');
  await narvl.caption(picture(64, 64, 1)); // what is compiled on first use is not the input's fault
});

afterAll(() => narvl.dispose());

const bad: [string, NarvlErrorCode, () => Promise<Blob>][] = [
  [
    'a truncated JPEG',
    'image-unreadable',
    async () => {
      const whole = await jpeg(640, 480, 2);
      return whole.slice(0, whole.size / 2);
    },
  ],
  [
    'a JPEG cut in its header',
    'image-unreadable',
    async () => (await jpeg(640, 480, 2)).slice(0, 40),
  ],
  [
    'a text file named .png',
    'unsupported-image',
    async () => new File(['not a picture'], 'x.png', { type: 'image/png' }),
  ],
  ['a PNG of 23000×23000 pixels', 'image-too-large', () => blackPng(23_000)],
  ['an empty file', 'unsupported-image', async () => new File([], 'empty.jpg')],
  [
    'a PNG with damaged pixels',
    'image-unreadable',
    async () => {
      const bytes = new Uint8Array(await (await blackPng(64)).arrayBuffer());
      bytes.fill(0xff, 43, 50);
      return new Blob([bytes]);
    },
  ],
];

/** Milliseconds of the fastest of three runs: what else the machine does is not the input's fault. */
async function fastest(run: () => Promise<void>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 3; i++) {
    const start = performance.now();
    await run();
    times.push(performance.now() - start);
  }
  return Math.min(...times);
}

describe.each(bad)('%s', (_, code, make) => {
  it(`is refused as ${code} within a second, and the next caption works`, async () => {
    const file = await make();
    const time = await fastest(async () => {
      await expect(narvl.caption(file)).rejects.toMatchObject({ name: 'NarvlError', code });
    });
    expect(time).toBeLessThan(SECOND);
    await expect(narvl.caption(picture(64, 64, 3))).resolves.toHaveProperty('text');
  });
});

describe('beside good images', () => {
  it('a bad one has its error in its place', async () => {
    const results = await narvl.captionBatch([
      picture(64, 64, 4),
      new Blob(['x']),
      picture(64, 64, 5),
    ]);
    expect(results.map((result) => ('code' in result ? result.code : 'caption'))).toEqual([
      'caption',
      'unsupported-image',
      'caption',
    ]);
  });
});

describe('what the page may not read', () => {
  it('is refused in its place', async () => {
    const foreign = await foreignCanvas();
    expect(() => foreign.getContext('2d')?.getImageData(0, 0, 1, 1)).toThrow(/cross-origin/);
    const results = await narvl.captionBatch([picture(64, 64, 4), foreign]);
    expect(results[0]).toHaveProperty('text');
    const refused = {
      name: 'NarvlError',
      code: 'image-unreadable',
      message: expect.stringMatching(/crossorigin/),
    };
    expect(results[1]).toMatchObject(refused);
    await expect(narvl.look(foreign)).rejects.toMatchObject(refused);
  });
});

describe('an address', () => {
  afterEach(() => vi.restoreAllMocks());

  it('that is none is an invalid argument', async () => {
    const wrong = {
      name: 'NarvlError',
      code: 'invalid-argument',
      message: expect.stringMatching(/URL of an image/),
    };
    await expect(narvl.caption('http://')).rejects.toMatchObject(wrong);
    await expect(narvl.look('http://')).rejects.toMatchObject(wrong);
  });

  it('that nobody answers keeps no other call waiting, and can be given up', async () => {
    vi.spyOn(globalThis, 'fetch').mockImplementation(
      (_, init) =>
        new Promise((_, reject) => {
          init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
        }),
    );
    const controller = new AbortController();
    const stuck = narvl.caption('/slow.jpg', { signal: controller.signal });
    await expect(narvl.caption(picture(64, 64, 5))).resolves.toHaveProperty('text');
    controller.abort();
    await expect(stuck).rejects.toMatchObject({ name: 'NarvlError', code: 'aborted' });
  });

  it('of a server that refuses is a failed download', async () => {
    vi.spyOn(globalThis, 'fetch').mockResolvedValue(new Response(null, { status: 403 }));
    const failed = {
      code: 'download-failed',
      message: expect.stringMatching(/no\.jpg: expected status 200, got 403/),
    };
    await expect(narvl.caption('/no.jpg')).rejects.toMatchObject(failed);
    vi.restoreAllMocks();
    vi.spyOn(globalThis, 'fetch').mockRejectedValue(new TypeError('no network'));
    await expect(narvl.look('/no.jpg')).rejects.toMatchObject({ code: 'download-failed' });
  });
});

describe('small things', () => {
  it('a 1×1 image has a caption, as soon as any other', async () => {
    const caption = (side: number) => async () => {
      await expect(narvl.caption(picture(side, side, 6))).resolves.toHaveProperty('text');
    };
    expect(await fastest(caption(1))).toBeLessThan(2 * (await fastest(caption(224))));
  });

  it('the huge PNG of these tests is indeed a small file', async () => {
    expect((await blackPng(23_000)).size).toBeLessThan(128 * 1024);
  });

  it('pixels that are detached, and options that cannot be sent, are refused', async () => {
    const pixels = new ImageData(8, 8);
    structuredClone(pixels.data.buffer, { transfer: [pixels.data.buffer] });
    await expect(narvl.caption(pixels)).rejects.toMatchObject({ code: 'image-unreadable' });
    const unsent = { candidates: [() => 'a dog'] as unknown as string[] };
    await expect(narvl.caption(picture(8, 8, 1), unsent)).rejects.toMatchObject({
      name: 'NarvlError',
      code: 'invalid-argument',
    });
  });

  it('what is no image at all is an invalid argument', async () => {
    await expect(narvl.caption(42 as unknown as Blob)).rejects.toMatchObject({
      code: 'invalid-argument',
    });
  });
});

describe('options of a class of their own', () => {
  class Settings {
    get posteriors() {
      return true;
    }
    get task() {
      return 'caption';
    }
  }
  // Which no worker can be sent.
  const settings = Object.assign(new Settings(), { log: () => {}, owner: new WeakRef(window) });
  const image = picture(64, 64, 1);

  it('are read where they are inherited, and what else the object has stays here', async () => {
    const look = await narvl.look(image, settings as object);
    for (const options of [settings, Object.create(settings), Object.freeze(settings)]) {
      const { posteriors, text } = await narvl.caption(image, options);
      expect(posteriors?.tokens.length).toBeGreaterThan(0);
      expect((await look.caption(options)).text).toBe(text);
      expect((await narvl.captionBatch([image], options))[0]).toMatchObject({ text });
      expect((await look.answer('what is this?', options)).posteriors).toBeDefined();
    }
    look.dispose();
  });

  it('end by a signal that is inherited', async () => {
    const controller = new AbortController();
    controller.abort();
    const ended = Object.create({ signal: controller.signal });
    await expect(narvl.caption(image, ended)).rejects.toMatchObject({ code: 'aborted' });
    await expect(narvl.look(image, ended)).rejects.toMatchObject({ code: 'aborted' });
  });
});
