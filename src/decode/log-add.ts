/** Sums of probabilities by their logarithms. */

/** log(exp(a) + exp(b)), where either may be -Infinity. */
export function logAdd(a: number, b: number): number {
  const [more, less] = a > b ? [a, b] : [b, a];
  return less === -Infinity ? more : more + Math.log1p(Math.exp(less - more));
}
