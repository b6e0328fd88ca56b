/** What is looked at of a long picture: a middle of a photo's shape, and boxes that come back from it. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { boxOf, inWhole, partOf, WHOLE } from './part.ts';

const side = fc.integer({ min: 1, max: 30_000 });
const share = fc.double({ min: 0, max: 1, noNaN: true });

test('a picture of up to 3:1 is looked at as a whole, either way up', () => {
  for (const [width, height] of [
    [1, 1],
    [300, 100],
    [100, 300],
    [4032, 3024],
    [2390, 1000],
  ] as const) {
    expect(partOf({ width, height })).toBeUndefined();
  }
});

test('of a longer one the middle of 2:1 is', () => {
  const wide = {
    box: { x: 350, y: 0, width: 200, height: 100 },
    edges: [350 / 900, 0, 550 / 900, 1],
  };
  expect(partOf({ width: 900, height: 100 })).toEqual(wide);
  const tall = { box: { x: 0, y: 100, width: 100, height: 200 }, edges: [0, 0.25, 1, 0.75] };
  expect(partOf({ width: 100, height: 400 })).toEqual(tall);
});

test('a part lies within, in whole pixels, in the middle, across all of the short side', () => {
  fc.assert(
    fc.property(side, side, (width, height) => {
      const part = partOf({ width, height });
      if (!part) return Math.max(width, height) <= 3 * Math.min(width, height);
      const { x, y, width: w, height: h } = part.box;
      for (const number of [x, y, w, h]) expect(Number.isInteger(number)).toBe(true);
      expect(Math.max(w, h)).toBe(2 * Math.min(w, h));
      expect(Math.min(w, h)).toBe(Math.min(width, height));
      const [before, after] = width > height ? [x, width - x - w] : [y, height - y - h];
      expect(before).toBeGreaterThanOrEqual(0);
      expect(after - before).toBeGreaterThanOrEqual(0);
      expect(after - before).toBeLessThanOrEqual(1);
      return w > h === width > height;
    }),
  );
});

test('turned by a quarter it is the same part, turned', () => {
  fc.assert(
    fc.property(side, side, (width, height) => {
      const [part, turned] = [partOf({ width, height }), partOf({ width: height, height: width })];
      const { x = 0, y = 0, width: w = 0, height: h = 0 } = part?.box ?? {};
      if (part) expect(turned?.box).toEqual({ x: y, y: x, width: h, height: w });
      else expect(turned).toBeUndefined();
    }),
  );
});

test('a box that was found in a part lies in the whole where the part has it', () => {
  fc.assert(
    fc.property(side, side, share, share, (width, height, a, b) => {
      const size = { width, height };
      const part = partOf(size) ?? { box: { x: 0, y: 0, ...size }, edges: WHOLE };
      const [x0, x1] = [Math.min(a, b), Math.max(a, b)];
      const box = boxOf(inWhole([x0, x0, x1, x1], part.edges), size);
      expect(box.x).toBeCloseTo(part.box.x + x0 * part.box.width, 6);
      expect(box.y).toBeCloseTo(part.box.y + x0 * part.box.height, 6);
      expect(box.width).toBeCloseTo((x1 - x0) * part.box.width, 6);
      expect(box.height).toBeCloseTo((x1 - x0) * part.box.height, 6);
    }),
  );
});

test('all of a part is the part, and all of the whole the whole', () => {
  const part = partOf({ width: 700, height: 101 });
  expect(inWhole(WHOLE, part?.edges)).toEqual(part?.edges);
  expect(inWhole([0.25, 0.5, 0.75, 1])).toEqual([0.25, 0.5, 0.75, 1]);
  expect(boxOf(WHOLE, { width: 700, height: 101 })).toEqual({
    x: 0,
    y: 0,
    width: 700,
    height: 101,
  });
});
