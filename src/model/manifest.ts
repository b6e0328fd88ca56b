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

const schema = v.object({
  format: v.literal(1),
  name: v.string(),
  /** Size and hash of every file, by its name in the folder. */
  files: v.object({
    'vision.onnx': file,
    'fusion.onnx': file,
    'decoder.safetensors': file,
    'tokenizer.json': file,
  }),
  /** Pixels in 0…1 become (x − mean) / std, after the photo was squashed to size × size. */
  image: v.object({ size: count, mean: triple, std: triple, fit: v.literal('squash') }),
  /** What vision.onnx gives for an image: [rows, width]. */
  features: v.object({ rows: count, width: count }),
  /** Tokens that fusion.onnx takes of a prompt, and the id that fills up shorter ones. */
  prompt: v.object({ length: count, pad: id }),
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
  /** What the model can be asked to do; the first is the default. */
  tasks: v.pipe(
    v.record(v.string(), v.object({ prompt: v.string(), queries: v.object({ first: id, count }) })),
    v.check((tasks) => Object.keys(tasks).length > 0, 'Expected at least one task'),
  ),
  licence: v.string(),
  trainedOn: v.array(v.string()),
});

/** A model's manifest. */
export type Manifest = v.InferOutput<typeof schema>;

/** Name of a file that every model has. */
export type ModelFile = keyof Manifest['files'];

/** One thing that the model can be asked to do. */
export type Task = Manifest['tasks'][string];

/**
 * The manifest in `text`.
 * @throws NarvlError `invalid-model` that names the first field that is not as expected.
 */
export function parseManifest(text: string): Manifest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new NarvlError('invalid-model', 'manifest.json is no JSON', { cause });
  }
  const result = v.safeParse(schema, json);
  if (!result.success) {
    const [issue] = result.issues;
    const where = v.getDotPath(issue) ?? 'its top level';
    throw new NarvlError('invalid-model', `manifest.json, ${where}: ${issue.message}`);
  }
  const { features, prompt, decoder } = result.output;
  if (decoder.memory !== features.rows + prompt.length) {
    throw new NarvlError(
      'invalid-model',
      `manifest.json, decoder.memory: expected features.rows + prompt.length = ` +
        `${features.rows + prompt.length}, got ${decoder.memory}`,
    );
  }
  return result.output;
}

/**
 * A task by its name, or the default one.
 * @throws NarvlError `invalid-argument` that lists the tasks there are.
 */
export function findTask(manifest: Manifest, name: string | undefined): Task {
  const names = Object.keys(manifest.tasks);
  const task = manifest.tasks[name ?? names[0] ?? ''];
  if (task) return task;
  throw new NarvlError(
    'invalid-argument',
    `Expected a task of ${names.join(', ')}, got ${JSON.stringify(name)}`,
  );
}
