/**
 * Faults that are injected into the worker of a model that is at work, and what becomes of the calls:
 * each has to end, with the text that it always has or with a typed error, and the model has to go on.
 */
import { type Caption, isLost, Narvl, NarvlError } from '../../src/index.ts';
import { seededRandom } from '../../src/testing/random.ts';
import hook from './worker-hook.ts?worker&url';

/** What happens to the worker, and when. */
export interface Fault {
  /**
   * `destroy`: its GPU devices are destroyed. `throw`: an error that nobody catches. `hang`: it never comes
   * back from where it is. `kill`: it ends without a word.
   */
  readonly kind: 'destroy' | 'throw' | 'hang' | 'kill';
  /** At once, or behind its next command submit, map of a read-back or download. */
  readonly at: 'now' | 'submit' | 'map' | 'fetch';
  /** Calls of that stage before the one that it strikes at. */
  readonly passes: number;
}

const KINDS = ['destroy', 'throw', 'hang', 'kill'] as const;
const MOMENTS = ['now', 'submit', 'map', 'fetch'] as const;

/** Rounds to a fault that is to strike: some are armed for what does not come any more. */
const MOST_ROUNDS = 4;

/** Calls of a stage that a round lets pass at most; of a load's fetches there are few. */
const MOST_PASSES = { now: 0, submit: 3, map: 3, fetch: 1 } as const;

/** What came of all rounds. */
export interface Report {
  readonly rounds: number;
  /** Rounds whose fault struck before the work was done. */
  readonly struck: number;
  /** Faults that struck, by kind and moment; others were armed for what did not come any more. */
  readonly injected: Record<string, number>;
  readonly calls: number;
  /** Calls with the text that they have without a fault. */
  readonly right: number;
  /** With another text. */
  readonly wrong: number;
  /** Rejected since the worker was lost twice under them. */
  readonly lost: number;
  /** Rejected with an error that says something else. */
  readonly otherErrors: string[];
  /** Neither, for longer than the worker may be silent four times. */
  readonly hung: number;
  /** Rounds after which the model captioned a photo again. */
  readonly recovered: number;
}

/** Workers that were started since `hookWorkers`, newest last. */
const workers: Worker[] = [];

/** What strikes the worker that is started next. */
let forNext: Fault | undefined;

/** Has every worker of this page run the hook before its own script. @returns undoes it */
export function hookWorkers(): () => void {
  const Plain = globalThis.Worker;
  globalThis.Worker = class extends Plain {
    constructor(script: string | URL, options?: WorkerOptions) {
      const address = new URL(script, location.href).href;
      // A script of its own address: relative ones are resolved against it.
      super(
        `${hook}${hook.includes('?') ? '&' : '?'}entry=${encodeURIComponent(address)}`,
        options,
      );
      workers.push(this);
      if (forNext) inject(forNext);
      forNext = undefined;
    }
  };
  return () => {
    globalThis.Worker = Plain;
  };
}

/** Strikes the newest worker; `none` disarms what has not struck. */
export function inject(fault: Fault | 'none'): void {
  workers.at(-1)?.postMessage({ narvlFault: fault });
}

/** Calls of every kind, on files, which can be sent again. */
function calls(loading: Promise<Narvl>, files: readonly Blob[]): Promise<string>[] {
  const [a = new Blob(), b = new Blob(), ...others] = files;
  const text = async (caption: Promise<Caption>) => (await caption).text;
  const looked = loading.then((narvl) => narvl.look(a));
  return [
    text(loading.then((narvl) => narvl.caption(a))),
    text(loading.then((narvl) => narvl.answer(b, 'what is this?'))),
    loading
      .then((narvl) => narvl.captionBatch(others))
      .then((all) => all.map((it) => (it instanceof NarvlError ? it.message : it.text)).join('\n')),
    text(looked.then((look) => look.caption())),
    text(looked.then((look) => look.answer('how many are there?').finally(() => look.dispose()))),
  ];
}

/**
 * @param files at least three photos
 * @param patience as `LoadOptions.patience`
 */
export async function injectFaults(
  model: string,
  files: readonly Blob[],
  { times, seed, patience, log = () => {} }: FaultOptions,
): Promise<Report> {
  const random = seededRandom(seed);
  const pick = <T>(of: readonly T[]) => of[Math.floor(random() * of.length)] as T;
  const [first = new Blob()] = files;
  const unhook = hookWorkers();
  const injected: Record<string, number> = {};
  const count = { struck: 0, calls: 0, right: 0, wrong: 0, lost: 0, hung: 0, recovered: 0 };
  const otherErrors: string[] = [];
  let struck = 0;
  const channel = new BroadcastChannel('narvl-faults');
  channel.onmessage = () => {
    struck++;
  };
  const load = () => Narvl.load(model, { patience });
  let loading = load();
  try {
    const expected = await Promise.all(calls(loading, files));
    const start = performance.now();
    await Promise.all(calls(loading, files));
    const usual = performance.now() - start;
    let round = 0;
    for (; count.struck < times && round < MOST_ROUNDS * times; round++) {
      const [kind, at] = [pick(KINDS), pick(MOMENTS)];
      const fault = { kind, at, passes: Math.floor(random() * (MOST_PASSES[at] + 1)) };
      const moment = random() * usual;
      const before = struck;
      // Two losses a model: after a third one it would go on without a GPU.
      if (round % 2 === 0 || fault.at === 'fetch') {
        void loading.then((narvl) => narvl.dispose());
        if (fault.at === 'fetch') forNext = fault;
        loading = load();
        loading.catch(() => {}); // The calls tell.
        if (fault.at !== 'fetch') await loading;
      }
      const running = calls(loading, files);
      const strike = setTimeout(() => fault.at !== 'fetch' && inject(fault), moment);
      const outcomes = await Promise.all(running.map((call) => settled(call, 4 * patience)));
      clearTimeout(strike);
      inject('none');
      const name = `${fault.kind} ${fault.at}`;
      if (struck > before) {
        injected[name] = (injected[name] ?? 0) + 1;
        count.struck++;
      }
      for (const [i, outcome] of outcomes.entries()) {
        count.calls++;
        if (outcome === 'hung') count.hung++;
        else if (typeof outcome !== 'string' && isLost(outcome.error)) count.lost++;
        else if (typeof outcome !== 'string') otherErrors.push(String(outcome.error));
        else if (outcome === expected[i]) count.right++;
        else count.wrong++;
      }
      const after = loading.then((narvl) => narvl.caption(first)).then(({ text }) => text);
      if ((await settled(after, 4 * patience)) === expected[0]) count.recovered++;
      const came = struck > before ? 'struck' : 'did not strike';
      log(`${round + 1}: ${name} ${came}, ${Math.round(moment)} ms: ${JSON.stringify(count)}`);
    }
    return { rounds: round, injected, ...count, otherErrors };
  } finally {
    channel.close();
    void loading.then((narvl) => narvl.dispose());
    unhook();
  }
}

/** How `injectFaults` goes on. */
export interface FaultOptions {
  /** Faults that are to strike. */
  readonly times: number;
  readonly seed: number;
  readonly patience: number;
  readonly log?: (line: string) => void;
}

async function settled(
  call: Promise<string>,
  milliseconds: number,
): Promise<string | { error: unknown }> {
  const late = new Promise<'hung'>((resolve) => setTimeout(resolve, milliseconds, 'hung'));
  return Promise.race([late, call.catch((error: unknown) => ({ error }))]);
}
