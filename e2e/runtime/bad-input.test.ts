/** What people drop by mistake or malice: a typed error within a second, and the next one works. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Narvl, type NarvlErrorCode } from '../../src/index.ts';
import { blackPng, jpeg, picture } from './images.ts';

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

  it('what is no image at all is an invalid argument', async () => {
    await expect(narvl.caption(42 as unknown as Blob)).rejects.toMatchObject({
      code: 'invalid-argument',
    });
  });
});
