/**
 * Which part of a long picture is looked at, and where what was found there lies in the whole.
 *
 * The network takes squares, and was trained on whole photos squashed to one: few of them were longer than
 * twice their other side, and a panorama of 9:1 becomes lines. Laid between bars it would be a strip of 25 rows,
 * of which nothing is recognised either. So of such a picture the middle is looked at, in a shape that
 * photos have, and the result says so.
 */
import type { Box, Edges, Size } from './image.ts';

/** Pictures are looked at as a whole up to so many times as long as their other side; cinema is 2.4. */
const LONGEST_WHOLE = 3;

/** And of longer ones a part so many times as long as wide. */
const LENGTH_OF_PART = 2;

/** A part of an image, in its own pixels and in shares of its width and height. */
export interface Region {
  readonly box: Box;
  readonly edges: Edges;
}

/** All of an image, whatever its size. */
export const WHOLE: Edges = [0, 0, 1, 1];

/** The part of an image of this size that is looked at, in whole pixels; undefined if it is all of it. */
export function partOf({ width, height }: Size): Region | undefined {
  const [long, short] = [Math.max(width, height), Math.min(width, height)];
  if (long <= LONGEST_WHOLE * short) return undefined;
  const length = LENGTH_OF_PART * short;
  const start = Math.floor((long - length) / 2);
  const box =
    width > height
      ? { x: start, y: 0, width: length, height }
      : { x: 0, y: start, width, height: length };
  const { x, y } = box;
  const edges = [
    x / width,
    y / height,
    (x + box.width) / width,
    (y + box.height) / height,
  ] as const;
  return { box, edges };
}

/** Edges in shares of a part, in shares of the whole. */
export function inWhole([x0, y0, x1, y1]: Edges, [left, top, right, bottom]: Edges = WHOLE): Edges {
  const across = (x: number) => left + x * (right - left);
  const down = (y: number) => top + y * (bottom - top);
  return [across(x0), down(y0), across(x1), down(y1)];
}

/** Where edges lie in the pixels of an image. */
export function boxOf([x0, y0, x1, y1]: Edges, { width, height }: Size): Box {
  return {
    x: x0 * width,
    y: y0 * height,
    width: (x1 - x0) * width,
    height: (y1 - y0) * height,
  };
}
