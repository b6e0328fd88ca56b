/** A race that was run, as it is shown again: where both are at a moment, and how slowly it is told. */

/** What is shown of a race, in milliseconds. */
export interface Raced {
  /** Word pieces of the caption, with their spaces. */
  readonly pieces: readonly string[];
  readonly onePass: number;
  /** When the opponent had each piece and, last, the end. */
  readonly steps: readonly number[];
}

/** A race that is over sooner than that is too short to be seen. */
const SHORTEST_MS = 3000;

/** One of the two at a moment. */
export interface Lane {
  readonly text: string;
  /** Its own time so far; it stands when it has finished. */
  readonly clock: number;
  readonly finished: boolean;
}

/** How many times slower than it was a race is shown: 1, or a round number. */
export function slowdown({ onePass, steps }: Raced): number {
  const factor = SHORTEST_MS / Math.max(onePass, steps.at(-1) ?? 0, 1e-3);
  if (factor <= 1) return 1;
  const magnitude = 10 ** Math.floor(Math.log10(factor));
  return magnitude * ([1, 2, 5, 10].find((step) => step * magnitude >= factor) ?? 10);
}

/** Both at so many milliseconds of the race's own time. */
export function at({ pieces, onePass, steps }: Raced, time: number): { one: Lane; other: Lane } {
  const last = steps.at(-1) ?? 0;
  const written = steps.filter((step) => step <= time).length;
  return {
    one: {
      text: time >= onePass ? pieces.join('').trim() : '',
      clock: Math.min(time, onePass),
      finished: time >= onePass,
    },
    other: {
      text: pieces.slice(0, written).join('').trim(),
      clock: Math.min(time, last),
      finished: time >= last,
    },
  };
}

/** When both have finished. */
export function duration({ onePass, steps }: Raced): number {
  return Math.max(onePass, steps.at(-1) ?? 0);
}
