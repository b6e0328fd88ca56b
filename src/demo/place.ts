/** Where in a photo a box is, in words. */
import { percent } from './format.ts';

/** `At the top left, 12% of the photo`, by the third in which the box's middle is. */
export function placeOf([x0, y0, x1, y1]: readonly [number, number, number, number]): string {
  const row = third((y0 + y1) / 2, 'top', 'bottom');
  const column = third((x0 + x1) / 2, 'left', 'right');
  const place = [row, column].filter(Boolean).join(' ');
  const where = place === '' ? 'In the middle' : `At the ${place}`;
  const share = (x1 - x0) * (y1 - y0);
  return `${where}, ${share < 0.01 ? 'less than 1%' : percent(share)} of the photo`;
}

function third(at: number, first: string, last: string): string {
  if (at < 1 / 3) return first;
  return at > 2 / 3 ? last : '';
}
