/** What a model wants of an image, and what an image is. */
import { NarvlError } from '../errors.ts';

/** The network takes `size` × `size` pixels, squashed whatever their aspect. */
export interface ImageTransform {
  readonly size: number;
  /** A colour in 0…1, red, green and blue, becomes (colour − mean) / std. */
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

/** In pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A rectangle in an image's own pixels, from its upper left corner. */
export interface Box extends Size {
  readonly x: number;
  readonly y: number;
}

/** A rectangle by its edges, left, top, right and bottom, in shares of an image's width and height. */
export type Edges = readonly [x0: number, y0: number, x1: number, y1: number];

/** An image as sRGB bytes. */
export interface RgbaPixels extends Size {
  /** [height, width, 4], alpha not multiplied in */
  readonly data: Uint8Array | Uint8ClampedArray;
}

/**
 * Checks that an image has the bytes that its size promises.
 * @throws NarvlError 'invalid-argument' if not.
 */
export function checkPixels({ data, width, height }: RgbaPixels): void {
  const isSize = (value: number) => Number.isSafeInteger(value) && value > 0;
  if (!isSize(width) || !isSize(height) || data.length !== width * height * 4) {
    throw new NarvlError(
      'invalid-argument',
      `pixels: expected 4 bytes for each of ${width}×${height}, got ${data.length} bytes`,
    );
  }
}
