/** Waiting for several things that make buffers together. */

/**
 * As Promise.all, but rejects only when all are over, with the first failure of the list: whoever
 * cleans up then cleans up after all of them.
 */
export async function settled<T extends readonly unknown[]>(
  parts: readonly [...{ [I in keyof T]: Promise<T[I]> }],
): Promise<T> {
  await Promise.allSettled(parts);
  return (await Promise.all(parts)) as unknown as T;
}
