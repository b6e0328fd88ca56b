/** Seeded random numbers, weights and memories for tests: the same on every machine. */
import { weightShapes } from '../model/checks.ts';
import type { DecoderShape, DecoderWeights, Weight } from '../model/decoder.ts';

/** A generator of numbers in [0, 1) that depends on the seed alone (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `length` numbers, uniform in [-scale, scale). */
export function randomNumbers(random: () => number, length: number, scale = 1): Float32Array {
  return Float32Array.from({ length }, () => (2 * random() - 1) * scale);
}

/** A matrix that keeps the size of what it multiplies about the same. */
export function randomMatrix(random: () => number, rows: number, columns: number): Weight {
  const scale = Math.sqrt(3 / rows);
  return { shape: [rows, columns], data: randomNumbers(random, rows * columns, scale) };
}

/** Weights for a decoder of this shape: gains around 1, matrices that keep magnitudes. */
export function randomWeights(shape: DecoderShape, seed: number): DecoderWeights {
  const random = seededRandom(seed);
  const weights = new Map<string, Weight>();
  for (const [name, size] of weightShapes(shape)) {
    const [rows = 1, columns] = size;
    if (columns !== undefined) {
      weights.set(name, randomMatrix(random, rows, columns));
    } else {
      const around = name.endsWith('norm.weight') ? 1 : 0;
      const data = randomNumbers(random, rows, 0.2).map((value) => around + value);
      weights.set(name, { shape: [rows], data });
    }
  }
  return weights;
}
