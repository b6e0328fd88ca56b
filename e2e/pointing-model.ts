/**
 * The shipped model as one that points and judges, for tests of what the runtime does with such a
 * model: its weights were not taught to, so that what it says means nothing, and is the same everywhere.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SHIPPED = fileURLToPath(new URL('../public/models/narvl-photo/', import.meta.url));

/** Where a server of the repository's root has the models that `writePointingModels` writes. */
export const POINTING_MODELS = {
  /** Its location tokens are tokens of words, so that the shipped decoder.onnx fits too. */
  amongWords: 'node_modules/.narvl-models/among-words/',
  /** Its location tokens stand behind those of words, as a trained model's do; without decoder.onnx. */
  behindWords: 'node_modules/.narvl-models/behind-words/',
};

const BINS = 64;

interface Manifest {
  readonly files: Readonly<Record<string, { readonly bytes: number; readonly sha256: string }>>;
  readonly decoder: { readonly vocabulary: number };
  readonly tasks: Readonly<Record<string, { readonly kind: string; readonly queries: object }>>;
}

/** The shipped tasks with two more, which have the slots of the answers. */
export function pointingTasks(tasks: Manifest['tasks'], first: number): object {
  const { queries } = Object.values(tasks).find(({ kind }) => kind === 'answer') ?? {};
  const labels = { entailment: 'yes', neutral: 'maybe', contradiction: 'no' };
  const words = Object.entries(tasks).filter(([, { kind }]) => !/locate|entail/.test(kind));
  return {
    ...Object.fromEntries(words),
    locate: { kind: 'locate', prompt: 'where is {}?', queries, bins: { first, count: BINS } },
    entail: { kind: 'entail', prompt: 'is it true that {}?', queries, labels },
  };
}

/** Writes both models below the repository's root. */
export function writePointingModels(): void {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const manifest = JSON.parse(readFileSync(join(SHIPPED, 'manifest.json'), 'utf8')) as Manifest;
  const { files, decoder, tasks } = manifest;
  const words = wordCount();
  write(join(root, POINTING_MODELS.amongWords), { ...manifest, tasks: pointingTasks(tasks, 1000) });

  const { 'decoder.onnx': _, ...others } = files;
  const weights = withLocations(readFileSync(join(SHIPPED, 'decoder.safetensors')), words);
  const sha256 = createHash('sha256').update(weights).digest('hex');
  write(
    join(root, POINTING_MODELS.behindWords),
    {
      ...manifest,
      files: { ...others, 'decoder.safetensors': { bytes: weights.length, sha256 } },
      decoder: { ...decoder, vocabulary: words + BINS },
      tasks: pointingTasks(tasks, words),
    },
    { 'decoder.safetensors': weights },
  );
}

function wordCount(): number {
  const tokenizer = JSON.parse(readFileSync(join(SHIPPED, 'tokenizer.json'), 'utf8')) as {
    model: { vocab: object };
  };
  return Object.keys(tokenizer.model.vocab).length;
}

function write(
  folder: string,
  manifest: { readonly files: object } & Readonly<Record<string, unknown>>,
  own: Readonly<Record<string, Uint8Array>> = {},
): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
  for (const name of Object.keys(manifest.files)) {
    const content = own[name];
    if (content) writeFileSync(join(folder, name), content);
    else symlinkSync(join(SHIPPED, name), join(folder, name));
  }
}

/** Of one number. */
const BYTES = { F32: 4, F16: 2, I8: 1 };

interface Tensor {
  readonly dtype: keyof typeof BYTES;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/**
 * A safetensors file whose output layer has `BINS` tokens behind `words` ones: copies of those of
 * words that are far apart.
 */
function withLocations(file: Buffer, words: number): Buffer {
  const length = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, 8 + length)) as Record<string, Tensor>;
  const parts: Buffer[] = [];
  let end = 0;
  const entries = Object.entries(header).map(([name, { dtype, shape, data_offsets }]) => {
    const [from, to] = data_offsets;
    const data = file.subarray(8 + length + from, 8 + length + to);
    const isOutput = /^head\.(weight|weight\.scale|bias)$/.test(name);
    const part = isOutput ? grown(data, data.length / BYTES[dtype] / words, words) : data;
    parts.push(part);
    const begin = end;
    end += part.length;
    const size = isOutput ? [...shape.slice(0, -1), words + BINS] : shape;
    return [name, { dtype, shape: size, data_offsets: [begin, end] }] as const;
  });
  const text = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([size, text, ...parts]);
}

/** Numbers [rows, words] with more columns. */
function grown(data: Buffer, rows: number, words: number): Buffer {
  const bytes = data.length / rows / words;
  const step = Math.floor(words / BINS);
  const column = (row: number, at: number) => {
    const start = (row * words + at) * bytes;
    return data.subarray(start, start + bytes);
  };
  const copies = Array.from({ length: BINS }, (_, bin) => bin * step);
  return Buffer.concat(
    Array.from({ length: rows }, (_, row) => [
      data.subarray(row * words * bytes, (row + 1) * words * bytes),
      ...copies.map((at) => column(row, at)),
    ]).flat(),
  );
}
