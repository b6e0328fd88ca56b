/** manifest.json: what a model's folder holds, read and checked. */
import * as v from 'valibot';
import { NarvlError } from '../errors.ts';
import { normalise, PLACE } from './text.ts';

/** Slots that any box fits into: four tokens, the end, a blank between each of two pairs of equals. */
const FEWEST_BOX_SLOTS = 7;

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
const id = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
/** Of what kernels take in fours. */
const size = v.pipe(count, v.multipleOf(4), v.maxValue(1 << 16));
const triple = v.tuple([v.number(), v.number(), v.number()]);

const file = v.object({
  bytes: v.pipe(count, v.maxValue(1 << 30)),
  sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'Expected 64 hexadecimal digits')),
});

const fileName = v.pipe(v.string(), v.regex(/^\w[\w.-]*$/, 'Expected the name of a file'));

const queries = v.object({ first: id, count });

const probability = v.pipe(v.number(), v.minValue(0), v.maxValue(1));

/** How the texts of a task are searched: see `BeamOptions`. */
const beam = v.object({
  /** The language model, one of `files`. */
  ngrams: fileName,
  /** The token that its texts begin with. */
  bos: id,
  width: v.pipe(count, v.maxValue(1024)),
  languageWeight: v.number(),
  bonus: v.number(),
  /** How names that fusion was told count, if they do: see `Copying`. */
  copying: v.optional(
    v.object({
      start: probability,
      inside: probability,
      least: probability,
      sure: probability,
      named: v.number(),
    }),
  ),
  /** How saying a word again counts, if it does: see `Repetition`. */
  once: v.optional(v.object({ cost: v.number(), free: v.array(id) })),
});

/** How often what it says is right: see `Curve`. */
const curve = v.pipe(
  v.array(v.tuple([v.number(), probability])),
  v.minLength(1),
  v.check(
    (curve) => curve.every(([x], i) => i === 0 || x > (curve[i - 1]?.[0] ?? x)),
    'Expected points in rising order',
  ),
);

/** How candidates share a probability of 1: see `Sharing`. */
const sharing = v.object({ weight: v.pipe(v.number(), v.gtValue(0)), floor: probability });

/** How sure the texts of a task may be. */
const calibration = v.object({
  curve,
  /** Of captions' words that `beam.once` calls free; `curve` is of the others then. */
  free: v.optional(v.object({ curve })),
  candidates: v.optional(sharing),
});

/** A prompt with one place for the caller's text. */
const template = v.pipe(
  v.string(),
  v.check((text) => text.split(PLACE).length === 2, `Expected one ${PLACE} for the caller's text`),
);

/** What the model writes for each label: texts with words, no two alike. */
const labels = v.pipe(
  v.object({ entailment: v.string(), neutral: v.string(), contradiction: v.string() }),
  v.check((texts) => {
    const normal = Object.values(texts).map(normalise);
    return !normal.includes('') && new Set(normal).size === normal.length;
  }, 'Expected three texts with words in them, no two alike'),
);

const task = v.variant('kind', [
  /** Describe the photo; `prompt` says in which style. */
  v.object({
    kind: v.literal('caption'),
    prompt: v.string(),
    queries,
    beam: v.optional(beam),
    calibration: v.optional(calibration),
  }),
  /** Answer a question, which is the prompt. */
  v.object({
    kind: v.literal('answer'),
    queries,
    beam: v.optional(beam),
    calibration: v.optional(calibration),
  }),
  /**
   * Say where a phrase's thing is. A text of the task is x0, y0, x1, y1, each a location token: of
   * `bins.count` ids from `bins.first` on, the i-th is (i + 0.5) / count of the width or height.
   */
  v.object({
    kind: v.literal('locate'),
    prompt: template,
    queries: v.pipe(
      queries,
      v.check(
        (range) => range.count >= FEWEST_BOX_SLOTS,
        `Expected at least ${FEWEST_BOX_SLOTS} slots, so that equal neighbours fit`,
      ),
    ),
    bins: v.object({
      first: id,
      count: v.pipe(count, v.minValue(2), v.maxValue(1024)),
      /** Bins over which what each has is shared, as a Gaussian's standard deviation; see `nearTable`. */
      spread: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1024))),
      /** How fusion's phrase map counts, if the model has one: see `PhraseMap` of decode/overlap.ts. */
      map: v.optional(v.object({ stride: count, weight: v.pipe(v.number(), v.minValue(0)) })),
    }),
    /** Of the mean log probability of a box's four tokens; with `bins.map` of the score it is chosen by. */
    calibration: v.optional(v.object({ curve })),
  }),
  /** Say whether a statement about the photo follows from it. */
  v.object({
    kind: v.literal('entail'),
    prompt: template,
    queries,
    labels,
    calibration: v.optional(v.object({ candidates: sharing })),
  }),
]);

const schema = v.object({
  /** 3 is 2 with what a runtime has to know of, `decoder.evidence`; 4 is 3 with a task's `bins.map`. */
  format: v.picklist([2, 3, 4]),
  name: v.string(),
  /**
   * Size and hash of every file, by its name in the folder: four; decoder.onnx, for who has no
   * WebGPU, if there is one; and those that tasks name.
   */
  files: v.intersect([
    v.object({
      'vision.onnx': file,
      'fusion.onnx': file,
      'decoder.safetensors': file,
      'tokenizer.json': file,
    }),
    v.record(fileName, file),
  ]),
  /** Pixels in 0…1 become (x − mean) / std, after the photo was squashed to size × size. */
  image: v.object({ size: count, mean: triple, std: triple, fit: v.literal('squash') }),
  /** What vision.onnx gives for an image: [rows, width]; `grid` if rows are cells of the photo. */
  features: v.object({ rows: count, width: count, grid: v.optional(v.tuple([count, count])) }),
  /** Tokens that fusion.onnx takes of a prompt, and the id that fills up shorter ones. */
  prompt: v.object({ length: count, pad: id }),
  /**
   * Names that fusion.onnx says it saw, and how likely each is: so many an image, of so many tokens,
   * filled up by `pad`.
   */
  names: v.optional(v.object({ count, length: count })),
  /** As `DecoderShape` has it. */
  decoder: v.object({
    width: count,
    heads: count,
    layers: count,
    ffn: count,
    vocabulary: count,
    queries: count,
    memory: count,
    blank: id,
    eos: id,
    epsilon: v.number(),
    evidence: v.optional(v.boolean()),
  }),
  /**
   * Sizes of what vision.onnx and fusion.onnx hold, if it is of a kind that has kernels: these are compiled
   * while the graphs come. What the graphs say counts.
   */
  network: v.optional(
    v.object({
      /** See `VisionShape`: outputs of the stem, of each block and of the head. */
      vision: v.object({
        stem: size,
        blocks: v.pipe(
          v.array(
            v.object({
              expand: v.optional(size),
              kernel: v.picklist([3, 5]),
              stride: v.picklist([1, 2]),
              outputs: size,
              residual: v.boolean(),
            }),
          ),
          v.minLength(1),
          v.maxLength(256),
        ),
        fine: id,
        head: size,
      }),
      /** Of the word detector and of the phrase map, the units inside each. */
      fusion: v.object({
        ffn: size,
        classes: v.optional(size),
        words: v.optional(size),
        places: v.optional(size),
      }),
    }),
  ),
  /** What the model can be asked to do. The first is the default, so it needs no question. */
  tasks: v.pipe(
    v.record(v.string(), task),
    v.check(
      (tasks) => Object.values(tasks)[0]?.kind === 'caption',
      'Expected the first task to be a caption',
    ),
  ),
  licence: v.string(),
  trainedOn: v.array(v.string()),
});

/** A model's manifest. */
export type Manifest = v.InferOutput<typeof schema>;

type Task = Manifest['tasks'][string];

/** How the texts of a task are searched. */
export type TaskBeam = v.InferOutput<typeof beam>;

/** How sure the texts of a task may be. */
export type TaskCalibration = v.InferOutput<typeof calibration>;

/** A style that the model describes photos in. */
export type CaptionTask = Extract<Task, { kind: 'caption' }>;

/** A task that a model has once or not at all: it answers, points or judges. */
export type OnlyTask<K extends OnlyKind> = Extract<Task, { kind: K }>;

type OnlyKind = Exclude<Task['kind'], 'caption'>;

/**
 * The manifest in `text`.
 * @throws NarvlError `invalid-model` that names the first field that is not as expected.
 */
export function parseManifest(text: string): Manifest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    // Many servers answer a path that they do not know with their start page.
    const start = JSON.stringify(text.slice(0, 40));
    throw new NarvlError(
      'invalid-model',
      `Expected manifest.json to be JSON, got ${start}: is there a model at that address?`,
      { cause },
    );
  }
  const result = v.safeParse(schema, json);
  if (!result.success) {
    const [issue] = result.issues;
    const where = v.getDotPath(issue) ?? 'its top level';
    throw new NarvlError('invalid-model', `manifest.json, ${where}: ${issue.message}`);
  }
  const { format, files, features, prompt, names, decoder, tasks } = result.output;
  if (decoder.evidence && format < 3) {
    throw new NarvlError(
      'invalid-model',
      `manifest.json, format: expected 3 of a decoder that hears evidence, got ${format}`,
    );
  }
  const { rows, grid } = features;
  if (grid && grid[0] * grid[1] !== rows) {
    throw new NarvlError(
      'invalid-model',
      `manifest.json, features.grid: expected ${rows} cells, got ${grid.join(' × ')}`,
    );
  }
  // Between an image's features and the prompt fusion may put rows of its own.
  if (decoder.memory < rows + prompt.length) {
    throw new NarvlError(
      'invalid-model',
      `manifest.json, decoder.memory: expected at least features.rows + prompt.length = ` +
        `${rows + prompt.length}, got ${decoder.memory}`,
    );
  }
  for (const [name, task] of Object.entries(tasks)) {
    const { queries } = task;
    if (queries.first + queries.count > decoder.queries) {
      throw new NarvlError(
        'invalid-model',
        `manifest.json, tasks.${name}.queries: expected a range within ${decoder.queries} rows, ` +
          `got ${queries.count} from ${queries.first}`,
      );
    }
    if (task.kind === 'locate') {
      checkBins(name, task.bins, decoder);
      checkMap(name, task.bins, format, grid);
    }
    const beam = beamOf(task);
    if (beam && !Object.hasOwn(files, beam.ngrams)) {
      throw new NarvlError(
        'invalid-model',
        `manifest.json, tasks.${name}.beam.ngrams: expected one of files, got ${beam.ngrams}`,
      );
    }
    if (beam?.copying && !names) {
      throw new NarvlError(
        'invalid-model',
        `manifest.json, tasks.${name}.beam.copying: expected names to copy, got none`,
      );
    }
  }
  return result.output;
}

/** @throws NarvlError 'invalid-model' unless bins are tokens of the decoder, the blank and EOS not among them. */
function checkBins(
  name: string,
  { first, count }: OnlyTask<'locate'>['bins'],
  { vocabulary, blank, eos }: Manifest['decoder'],
): void {
  const isBin = (token: number) => token >= first && token < first + count;
  if (first + count <= vocabulary && !isBin(blank) && !isBin(eos)) return;
  throw new NarvlError(
    'invalid-model',
    `manifest.json, tasks.${name}.bins: expected ids below ${vocabulary} without ${blank} and ${eos}, ` +
      `got ${count} from ${first}`,
  );
}

/** @throws NarvlError 'invalid-model' if a phrase map is in a format before it, or of no cells of a photo. */
function checkMap(
  name: string,
  { map }: OnlyTask<'locate'>['bins'],
  format: Manifest['format'],
  grid: Manifest['features']['grid'],
): void {
  if (!map) return;
  if (format < 4) {
    throw new NarvlError(
      'invalid-model',
      `manifest.json, format: expected 4 of a task with a phrase map, got ${format}`,
    );
  }
  if (!grid) {
    throw new NarvlError(
      'invalid-model',
      `manifest.json, tasks.${name}.bins.map: expected features.grid, which it is a map of, got none`,
    );
  }
}

/** How the texts of a task are searched, if they are. */
export function beamOf(task: Task): TaskBeam | undefined {
  return 'beam' in task ? task.beam : undefined;
}

/** How many ids have a text, from 0 on: all but location tokens at the vocabulary's end. */
export function wordCount(manifest: Manifest): number {
  const { vocabulary } = manifest.decoder;
  const bins = onlyTask(manifest, 'locate')?.bins;
  return bins && bins.first + bins.count === vocabulary ? bins.first : vocabulary;
}

/** The tasks that describe a photo by their names, the default one first. */
export function captionTasks({ tasks }: Manifest): Map<string, CaptionTask> {
  return new Map(
    Object.entries(tasks).flatMap(([name, task]) =>
      task.kind === 'caption' ? [[name, task] as const] : [],
    ),
  );
}

/** The task of a kind that a model has at most one of, if there is one. */
export function onlyTask<K extends OnlyKind>(
  { tasks }: Pick<Manifest, 'tasks'>,
  kind: K,
): OnlyTask<K> | undefined {
  return Object.values(tasks).find((task): task is OnlyTask<K> => task.kind === kind);
}

/**
 * A caption task by its name, or the default one.
 * @throws NarvlError `invalid-argument` that lists the caption tasks there are.
 */
export function findCaptionTask(manifest: Manifest, name: string | undefined): CaptionTask {
  const tasks = captionTasks(manifest);
  const [first] = tasks.values();
  const task = name === undefined ? first : tasks.get(name);
  if (task) return task;
  throw new NarvlError(
    'invalid-argument',
    `Expected a caption task of ${[...tasks.keys()].join(', ')}, got ${JSON.stringify(name)}`,
  );
}

/** What is said of a model that lacks a task. */
const lacking: Record<OnlyKind, string> = {
  answer: 'This model answers no questions',
  locate: 'This model points at nothing: it has no task of the kind "locate"',
  entail: 'This model judges no statements: it has no task of the kind "entail"',
};

/**
 * The task of a kind that a model has at most one of.
 * @throws NarvlError `invalid-argument` if there is none.
 */
export function findTask<K extends OnlyKind>(manifest: Manifest, kind: K): OnlyTask<K> {
  const task = onlyTask(manifest, kind);
  if (task) return task;
  throw new NarvlError('invalid-argument', lacking[kind]);
}
