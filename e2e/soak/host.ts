/** The soak's half in the browser: calls of every kind on pictures of mixed sizes, some given up under way. */
import { type Caption, type MemoryUse, Narvl, NarvlError } from '../../src/index.ts';
import { seededRandom } from '../../src/testing/random.ts';
import { jpeg, picture } from '../runtime/images.ts';

/** What came of some calls. */
export interface Counts {
  /** With the text that they have alone. */
  readonly right: number;
  readonly wrong: number;
  readonly aborted: number;
  /** Of calls that failed though nobody gave them up. */
  readonly failures: readonly string[];
}

/** What the command calls. */
export interface Soak {
  load(model: string, seed: number): Promise<void>;
  run(calls: number): Promise<Counts>;
  memory(): Promise<MemoryUse>;
}

declare global {
  var narvlSoak: Soak;
}

/** From an icon to what a phone sends, upright, wide and long. */
const SIZES = [
  [16, 16],
  [160, 120],
  [224, 224],
  [480, 640],
  [1280, 720],
  [2048, 1536],
  [3000, 2000],
  [1200, 200],
] as const;

/** Calls that are made at once. */
const AT_ONCE = 4;

/** Of all calls, those that are given up. */
const GIVEN_UP = 0.2;

/** How long one that is given up may run before, in milliseconds at most. */
const SOON = 300;

const QUESTION = 'what is this?';

/** One call, to its text. */
type Call = (narvl: Narvl, file: Blob, signal: AbortSignal | undefined) => Promise<string>;

const text = async (caption: Promise<Caption>) => (await caption).text;

/** A look, which is disposed of whatever becomes of it. */
async function looked(narvl: Narvl, file: Blob, signal: AbortSignal | undefined): Promise<string> {
  const look = await narvl.look(file, { signal });
  try {
    const both = [look.caption({ signal }), look.answer(QUESTION, { signal })];
    return (await Promise.all(both)).map((one) => one.text).join('\n');
  } finally {
    look.dispose();
  }
}

const KINDS: readonly Call[] = [
  (narvl, file, signal) => text(narvl.caption(file, { signal })),
  (narvl, file, signal) => text(narvl.caption(file, { signal, explain: true, alternatives: 3 })),
  (narvl, file, signal) => text(narvl.answer(file, QUESTION, { signal })),
  (narvl, file, signal) =>
    text(narvl.answer(file, 'is it red?', { signal, candidates: ['yes', 'no'] })),
  async (narvl, file, signal) => {
    const both = await narvl.captionBatch([file, picture(64, 64, 5)], { signal });
    return both.map((one) => ('text' in one ? one.text : one.code)).join('\n');
  },
  looked,
];

let narvl: Narvl | undefined;
let files: readonly Blob[] = [];
let random = seededRandom(1);

/** What each kind of call says of each file. */
const known = new Map<string, string>();

const pick = (count: number) => Math.floor(random() * count);

async function callOnce(): Promise<keyof Omit<Counts, 'failures'> | { failure: string }> {
  const [kind, file] = [pick(KINDS.length), pick(files.length)];
  const [call, blob] = [KINDS[kind], files[file]];
  if (!narvl || !call || !blob) throw new Error('load() comes first');
  const controller = random() < GIVEN_UP ? new AbortController() : undefined;
  const timer = controller && setTimeout(() => controller.abort(), random() * SOON);
  try {
    const said = await call(narvl, blob, controller?.signal);
    const key = `${kind} ${file}`;
    const before = known.get(key) ?? said;
    known.set(key, before);
    return said === before ? 'right' : 'wrong';
  } catch (error) {
    if (error instanceof NarvlError && error.code === 'aborted' && controller) return 'aborted';
    return { failure: String(error) };
  } finally {
    clearTimeout(timer);
  }
}

globalThis.narvlSoak = {
  async load(model, seed) {
    random = seededRandom(seed);
    files = await Promise.all(SIZES.map(([width, height], i) => jpeg(width, height, i)));
    narvl = await Narvl.load(model);
    // Whatever is made at first use is there, and what each call says is known.
    for (const [kind, call] of KINDS.entries()) {
      for (const [i, file] of files.entries()) {
        known.set(`${kind} ${i}`, await call(narvl, file, undefined));
      }
    }
  },

  async run(calls) {
    const counts = { right: 0, wrong: 0, aborted: 0 };
    const failures: string[] = [];
    let left = calls;
    const one = async () => {
      while (left-- > 0) {
        const came = await callOnce();
        if (typeof came === 'string') counts[came]++;
        else failures.push(came.failure);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, one));
    // What was given up still has its turn in the worker.
    await narvl?.caption(picture(16, 16, 1));
    return { ...counts, failures };
  },

  async memory() {
    if (!narvl) throw new Error('load() comes first');
    return narvl.memory();
  },
};
