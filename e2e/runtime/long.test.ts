/** A picture of 9:1: its middle is looked at, that is said, and what is found lies in the whole. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Narvl } from '../../src/index.ts';
import { Picture } from '../../src/page/image-source.ts';
import { readPixels } from '../../src/worker/pixels.ts';
import { gif, jpeg, picture } from './images.ts';

const MODEL = '/models/narvl-photo/';
const PHOTO = '/samples/pavilion.jpg';

/** The middle of a photo of 2:1 with its mirror images at both sides, and that middle alone. */
async function wideAndMiddle(): Promise<{ wide: OffscreenCanvas; middle: OffscreenCanvas }> {
  const photo = await createImageBitmap(await (await fetch(PHOTO)).blob());
  const middle = new OffscreenCanvas(320, 160);
  middle.getContext('2d')?.drawImage(photo, 0, 0, 320, 160);
  const wide = new OffscreenCanvas(1440, 160);
  const context = wide.getContext('2d');
  if (!context) throw new Error('no canvas');
  context.drawImage(picture(560, 160, 4), 0, 0);
  context.drawImage(middle, 560, 0);
  context.drawImage(picture(560, 160, 9), 880, 0);
  return { wide, middle };
}

const PART = {
  box: { x: 560, y: 0, width: 320, height: 160 },
  edges: [560 / 1440, 0, 880 / 1440, 1],
};

describe('what is looked at', () => {
  const read = async (image: Blob | ImageData | OffscreenCanvas) =>
    readPixels(await new Picture(image).wire());
  const dataOf = (canvas: OffscreenCanvas) => {
    const pixels = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height);
    if (!pixels) throw new Error('no pixels');
    return pixels;
  };

  it('is the middle, of whatever holds the picture', async () => {
    const { wide, middle } = await wideAndMiddle();
    const { data } = dataOf(middle);
    for (const image of [wide, dataOf(wide), await wide.convertToBlob()]) {
      const { pixels, size, part } = await read(image);
      expect(size).toEqual({ width: 1440, height: 160 });
      expect(part).toEqual(PART);
      expect([pixels.width, pixels.height]).toEqual([320, 160]);
      expect(pixels.data.every((value, i) => value === data[i])).toBe(true);
    }
  });

  it('is all of a picture of 3:1', async () => {
    const { pixels, part } = await read(await jpeg(300, 100, 1));
    expect(part).toBeUndefined();
    expect([pixels.width, pixels.height]).toEqual([300, 100]);
  });

  it('has the pixels that a page of 20:1 has there, not those of its thumbnail', async () => {
    const { pixels, part } = await read(await jpeg(300, 6000, 1));
    expect(part?.box).toEqual({ x: 0, y: 2700, width: 300, height: 600 });
    expect([pixels.width, pixels.height]).toEqual([300, 600]);
  });

  it('is found the way up that the photo was taken', async () => {
    const file = new Uint8Array(await (await jpeg(400, 100, 2)).arrayBuffer());
    // EXIF with nothing but orientation 6: a quarter to the right.
    const exif = 'ffe1002245786966000049492a00080000000100120103000100000006000000000000000000';
    const bytes = exif.match(/../g)?.map((hex) => Number.parseInt(hex, 16)) ?? [];
    const turned = new Blob([file.slice(0, 2), Uint8Array.from(bytes), file.slice(2)]);
    const { pixels, size, part } = await read(turned);
    expect(size).toEqual({ width: 100, height: 400 });
    expect(part?.box).toEqual({ x: 0, y: 100, width: 100, height: 200 });
    expect([pixels.width, pixels.height]).toEqual([100, 200]);
  });

  it('is found in an animation that fades in too', async () => {
    const black = new OffscreenCanvas(400, 100);
    const context = black.getContext('2d');
    if (!context) throw new Error('no canvas');
    context.fillRect(0, 0, 400, 100);
    const { pixels } = await read(gif([black, picture(400, 100, 3)]));
    expect([pixels.width, pixels.height]).toEqual([200, 100]);
    expect(pixels.data.some((value, i) => i % 4 < 3 && value > 50)).toBe(true);
  });

  it('does not hide that rows are missing elsewhere', async () => {
    const whole = await jpeg(100, 900, 3);
    const ended = await read(whole.slice(0, whole.size - 2));
    expect(ended.part?.box.y).toBe(350);
    await expect(read(whole.slice(0, whole.size - 60))).rejects.toMatchObject({
      code: 'image-unreadable',
      message: expect.stringMatching(/part of the picture is missing/),
    });
  });
});

describe('what is found', () => {
  let narvl: Narvl;
  beforeAll(async () => {
    narvl = await Narvl.load(MODEL);
  });
  afterAll(() => narvl.dispose());

  it('is what is found in the middle alone, and the part is said', async () => {
    const { wide, middle } = await wideAndMiddle();
    const look = await narvl.look(wide);
    const [long, short] = [
      await look.caption({ explain: true }),
      await narvl.caption(middle, { explain: true }),
    ];
    expect(long.text).toBe(short.text);
    expect(long.part).toEqual(PART);
    expect(short).not.toHaveProperty('part');
    expect(long.attention?.edges).toEqual(PART.edges);
    expect(short.attention?.edges).toEqual([0, 0, 1, 1]);
    expect(long.attention?.tokens).toHaveLength(short.attention?.tokens.length ?? 0);
    expect((await look.entails('two people are outdoors')).part).toEqual(PART);

    const there = await look.locate('the house');
    const alone = await narvl.locate(middle, 'the house');
    expect(there.part).toEqual(PART);
    expect(alone).not.toHaveProperty('part');
    expect(there.box.x).toBeCloseTo(560 + alone.box.x, 6);
    expect(there.box.y).toBeCloseTo(alone.box.y, 6);
    expect(there.box.width).toBeCloseTo(alone.box.width, 6);
    expect(there.edges[2]).toBeCloseTo((560 + alone.edges[2] * 320) / 1440, 9);
    look.dispose();
  });

  it('is said of each image of a batch for itself', async () => {
    const { wide, middle } = await wideAndMiddle();
    const results = await narvl.captionBatch([middle, wide]);
    expect(results.map((one) => ('text' in one ? one.part : one))).toEqual([undefined, PART]);
  });
});
