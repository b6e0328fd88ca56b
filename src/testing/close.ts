/** Compares arrays of numbers as far as rounding allows. */

/**
 * Throws at the first number that is further from the wanted one than
 * `tolerance · (1 + |wanted|)`, or that is not a number.
 */
export function expectClose(
  got: ArrayLike<number>,
  wanted: ArrayLike<number>,
  tolerance = 1e-5,
): void {
  if (got.length !== wanted.length) {
    throw new Error(`expected ${wanted.length} numbers, got ${got.length}`);
  }
  for (let i = 0; i < wanted.length; i++) {
    const want = wanted[i] as number;
    const difference = Math.abs((got[i] as number) - want);
    if (difference <= tolerance * (1 + Math.abs(want))) continue;
    throw new Error(`number ${i} of ${wanted.length}: expected ${want}, got ${got[i]}`);
  }
}
