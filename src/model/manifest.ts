/** manifest.json: what a model's folder holds, read and checked. */
import * as v from 'valibot';
import { NarvlError } from '../errors.ts';

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
const id = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
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
});

/** How sure its texts may be: see `Curve` and `Sharing`. */
const calibration = v.object({
  curve: v.pipe(
    v.array(v.tuple([v.number(), probability])),
    v.minLength(1),
    v.check(
      (curve) => curve.every(([x], i) => i === 0 || x > (curve[i - 1]?.[0] ?? x)),
      'Expected points in rising order',
    ),
  ),
  candidates: v.optional(
    v.object({
      weight: v.pipe(v.number(), v.gtValue(0)),
      floor: probability,
    }),
  ),
});

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
]);

const schema = v.object({
  format: v.literal(2),
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
  }),
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

/** How the model answers questions. */
export type AnswerTask = Extract<Task, { kind: 'answer' }>;

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
  const { files, features, prompt, names, decoder, tasks } = result.output;
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
  for (const [name, { queries, beam }] of Object.entries(tasks)) {
    if (queries.first + queries.count > decoder.queries) {
      throw new NarvlError(
        'invalid-model',
        `manifest.json, tasks.${name}.queries: expected a range within ${decoder.queries} rows, ` +
          `got ${queries.count} from ${queries.first}`,
      );
    }
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

/** The tasks that describe a photo by their names, the default one first. */
export function captionTasks({ tasks }: Manifest): Map<string, CaptionTask> {
  return new Map(
    Object.entries(tasks).flatMap(([name, task]) =>
      task.kind === 'caption' ? [[name, task] as const] : [],
    ),
  );
}

/** The task that answers questions, if there is one. */
export function answerTask({ tasks }: Manifest): AnswerTask | undefined {
  return Object.values(tasks).find((task) => task.kind === 'answer');
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

/**
 * The task that answers questions.
 * @throws NarvlError `invalid-argument` if there is none.
 */
export function findAnswerTask(manifest: Manifest): AnswerTask {
  const task = answerTask(manifest);
  if (task) return task;
  throw new NarvlError('invalid-argument', 'This model answers no questions');
}
