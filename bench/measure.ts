/** Times contenders in turns, so that what slows the machine down slows all of them. */
import type { DecoderCost } from '../src/model/decoder.ts';

/** What is timed against others. */
export interface Contender {
  readonly name: string;
  /** Once, from what lies ready to its result on the CPU. */
  run(): Promise<unknown>;
  /** What a run does to the GPU, where that was counted. */
  readonly cost?: DecoderCost | undefined;
  dispose?(): void | Promise<void>;
}

/** A contender's times. */
export interface Timed {
  readonly name: string;
  /** Of every run, in order. */
  readonly milliseconds: readonly number[];
  readonly median: number;
  /** The runs' tenth and ninetieth percentile. */
  readonly spread: readonly [low: number, high: number];
  /** Median of its runs, each over the first contender's of the same round. */
  readonly ratio: number;
  readonly cost?: DecoderCost | undefined;
}

/**
 * Every contender once a round, in an order that rotates, after rounds that do not count.
 *
 * @param clock milliseconds
 */
export async function interleave(
  contenders: readonly Contender[],
  { rounds, warmUps }: { readonly rounds: number; readonly warmUps: number },
  onRound: (done: number) => void = () => {},
  clock: () => number = () => performance.now(),
): Promise<Timed[]> {
  const times = contenders.map((): number[] => []);
  for (let round = -warmUps; round < rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const i = (turn + round + warmUps) % contenders.length;
      const start = clock();
      await contenders[i]?.run();
      if (round >= 0) times[i]?.push(clock() - start);
    }
    onRound(round + warmUps + 1);
  }
  const [first = []] = times;
  return contenders.map(({ name, cost }, i) => {
    const milliseconds = times[i] ?? [];
    const ratios = milliseconds.map((time, round) => time / (first[round] ?? Number.NaN));
    return {
      name,
      milliseconds,
      median: quantile(milliseconds, 0.5),
      spread: [quantile(milliseconds, 0.1), quantile(milliseconds, 0.9)],
      ratio: quantile(ratios, 0.5),
      ...(cost ? { cost } : {}),
    };
  });
}

/** The value below which a share of the numbers lies, between neighbours in proportion. */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}
