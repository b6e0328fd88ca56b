/** Times contenders in turns, so that what slows the machine down slows all of them. */
import type { DecoderCost } from '../src/model/decoder.ts';
import { seededRandom } from '../src/testing/random.ts';

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
  /** Median of its runs, each over the baseline's of the same round; without one there is none. */
  readonly ratio?: number | undefined;
  readonly cost?: DecoderCost | undefined;
}

/** A contender that could not be run, and why. */
export interface Failed {
  readonly name: string;
  readonly reason: string;
}

/** How often contenders take turns. */
export interface Rounds {
  readonly rounds: number;
  /** Before those, and not counted. */
  readonly warmUps: number;
  /** Whether the time is up, asked before each round: one that counts is run all the same, and no more. */
  readonly enough?: () => boolean;
}

/**
 * Every contender once a round, in an order that each round shuffles anew, after rounds that do not
 * count. One that throws is out.
 *
 * @param baseline name of the contender that ratios are to
 * @param clock milliseconds
 */
export async function interleave(
  contenders: readonly Contender[],
  baseline: string,
  { rounds, warmUps, enough = () => false }: Rounds,
  onRound: (done: number) => void = () => {},
  clock: () => number = () => performance.now(),
): Promise<{ timed: Timed[]; failed: Failed[] }> {
  const random = seededRandom(1);
  const times = new Map(contenders.map((contender) => [contender, [] as number[]]));
  const failed: Failed[] = [];
  let counted = 0;
  for (let round = 1; round <= warmUps + rounds; round++) {
    const last = enough();
    if (last && counted > 0) break;
    const counts = last || round > warmUps;
    if (counts) counted++;
    for (const contender of shuffled([...times.keys()], random)) {
      const start = clock();
      try {
        await contender.run();
        if (counts) times.get(contender)?.push(clock() - start);
      } catch (error) {
        times.delete(contender);
        failed.push({ name: contender.name, reason: reasonOf(error) });
      }
    }
    onRound(round);
  }
  const first = [...times].find(([{ name }]) => name === baseline)?.[1];
  const timed = [...times].map(([{ name, cost }, milliseconds]): Timed => {
    const ratios = first && milliseconds.map((time, i) => time / (first[i] ?? Number.NaN));
    return {
      name,
      milliseconds,
      median: quantile(milliseconds, 0.5),
      spread: [quantile(milliseconds, 0.1), quantile(milliseconds, 0.9)],
      ...(ratios ? { ratio: quantile(ratios, 0.5) } : {}),
      ...(cost ? { cost } : {}),
    };
  });
  return { timed, failed };
}

/** The value below which a share of the numbers lies, between neighbours in proportion. */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}

/** What an error says, in one line. */
export function reasonOf(error: unknown): string {
  const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
  return line;
}

/** Fisher and Yates. */
function shuffled<T>(items: T[], random: () => number): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [items[i], items[j]] = [items[j] as T, items[i] as T];
  }
  return items;
}
