/**
 * Runs stages one after another, each part of one in a process of its own, under limits of time: what
 * hangs, fails or crashes is recorded as such, and the next one runs.
 */

/** What is run by itself. */
export interface Part {
  readonly name: string;
  /** Why it is not to be run, if that is known. */
  readonly skip?: string | undefined;
  /** The longest that it may take by itself. */
  readonly seconds?: number;
}

/** Parts that share a limit. Time that a stage leaves goes to those behind it. */
export interface Stage {
  readonly name: string;
  readonly seconds: number;
  readonly parts: readonly Part[];
  /** Whether a part's data make those behind it superfluous. */
  enough?(data: unknown): boolean;
}

/** What became of a part. */
export interface PartResult {
  readonly name: string;
  readonly state: 'running' | 'done' | 'failed' | 'timed out' | 'not run';
  readonly seconds: number;
  /** Why, where it is not done. */
  readonly reason?: string;
  /** What it has said last: all of it if it is done. */
  readonly data?: unknown;
}

export interface StageResult {
  readonly name: string;
  readonly parts: readonly PartResult[];
}

/** A part at work. */
export interface Running {
  /** Resolves, never rejects, when it is over: with what went wrong, if something did. */
  readonly over: Promise<string | undefined>;
  /** Ends it for good, however busy it is. */
  kill(): void;
}

/** Starts a part, which is told how long it may take, and tells what it has so far. */
export type Start = (
  stage: string,
  part: string,
  seconds: number,
  onData: (data: unknown) => void,
) => Running;

/** Seconds under which nothing is begun. */
const TOO_LITTLE = 1;

/**
 * @param start runs a part
 * @param onResults told of everything so far whenever there is more of it
 * @param clock milliseconds
 */
export async function runStages(
  stages: readonly Stage[],
  start: Start,
  onResults: (results: readonly StageResult[]) => void,
  clock: () => number = () => performance.now(),
): Promise<StageResult[]> {
  const results: StageResult[] = [];
  let due = clock();
  for (const stage of stages) {
    due += 1000 * stage.seconds;
    const done: PartResult[] = [];
    const at = results.push({ name: stage.name, parts: done }) - 1;
    const tell = (running?: PartResult): void => {
      results[at] = { name: stage.name, parts: running ? [...done, running] : [...done] };
      onResults(results);
    };
    let enough = false;
    for (const part of stage.parts) {
      const seconds = Math.min((due - clock()) / 1000, part.seconds ?? Number.POSITIVE_INFINITY);
      const skip =
        part.skip ??
        (enough ? 'not needed' : seconds < TOO_LITTLE ? 'no time was left' : undefined);
      const result: PartResult =
        skip === undefined
          ? await runPart(stage.name, part.name, seconds, start, tell, clock)
          : { name: part.name, state: 'not run', seconds: 0, reason: skip };
      done.push(result);
      enough ||= result.state === 'done' && stage.enough?.(result.data) === true;
      tell();
    }
  }
  return results;
}

async function runPart(
  stage: string,
  name: string,
  seconds: number,
  start: Start,
  tell: (running: PartResult) => void,
  clock: () => number,
): Promise<PartResult> {
  const begun = clock();
  let data: unknown;
  const said = () => ({
    name,
    seconds: (clock() - begun) / 1000,
    ...(data === undefined ? {} : { data }),
  });
  const running = start(stage, name, seconds, (more) => {
    data = more;
    tell({ ...said(), state: 'running' });
  });
  tell({ ...said(), state: 'running' });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), 1000 * seconds);
  });
  const reason = await Promise.race([running.over, late]);
  clearTimeout(timer);
  if (reason === 'late') {
    running.kill();
    return { ...said(), state: 'timed out', reason: `cut off after ${seconds.toFixed(0)} s` };
  }
  if (reason !== undefined) return { ...said(), state: 'failed', reason };
  return { ...said(), state: 'done' };
}
