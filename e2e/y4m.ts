/** Uncompressed films in the YUV4MPEG2 format, which Chromium's fake camera plays. */

/** A picture of bytes R, G, B, A, row by row; sides are even. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly data: ArrayLike<number>;
}

/** The head of a film of frames of one size, so many a second. */
export function y4mHead({ width, height }: Frame, perSecond: number): Buffer {
  return Buffer.from(`YUV4MPEG2 W${width} H${height} F${perSecond}:1 Ip A1:1 C420\n`);
}

/** One frame: its luma, then both chromas at half the size; BT.601 in the studio's range. */
export function y4mFrame({ width, height, data }: Frame): Buffer {
  const head = Buffer.from('FRAME\n');
  const quarter = (width / 2) * (height / 2);
  const planes = Buffer.alloc(width * height + 2 * quarter);
  const at = (x: number, y: number): [number, number, number] => {
    const i = 4 * (y * width + x);
    return [data[i] ?? 0, data[i + 1] ?? 0, data[i + 2] ?? 0];
  };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [r, g, b] = at(x, y);
      planes[y * width + x] = 16 + (65.481 * r + 128.553 * g + 24.966 * b) / 255;
    }
  }
  for (let y = 0; y < height / 2; y++) {
    for (let x = 0; x < width / 2; x++) {
      const [r, g, b] = at(2 * x, 2 * y);
      const i = width * height + y * (width / 2) + x;
      planes[i] = 128 + (-37.797 * r - 74.203 * g + 112 * b) / 255;
      planes[i + quarter] = 128 + (112 * r - 93.786 * g - 18.214 * b) / 255;
    }
  }
  return Buffer.concat([head, planes]);
}
