/** The fusion network in plain TypeScript: an image's features and a prompt to the memory. */
import {
  type FusionLinear,
  type FusionNetwork,
  type FusionNorm,
  type FusionPhraseMap,
  type FusionTags,
  type FusionWords,
  MOST_EVIDENCE,
} from '../model/fusion.ts';
import { attention } from './attention.ts';
import { layerNorm } from './layernorm.ts';
import { type LinearOptions, linear, packLinear } from './linear.ts';

/** Sizes that the weights do not say. */
export interface FusionSizes {
  readonly width: number;
  readonly heads: number;
  readonly epsilon: number;
  /** The token that names are filled up with. */
  readonly pad: number;
}

/** What fusion says of an image. */
export interface FusionResult {
  /** [used rows, width]; rows of padding are left out. */
  readonly memory: Float32Array;
  /** The likeliest classes of the whole image. */
  readonly told: readonly { readonly id: number; readonly likely: number }[];
  /** [vocabulary], if the network has a word detector. */
  readonly evidence: Float32Array | undefined;
  /** [cells] log odds that each lies in the box of the prompt's phrase, if the network has a phrase map. */
  readonly places: Float32Array | undefined;
}

/**
 * @param features [cells, width of features]
 * @param prompt token ids, without padding
 */
export function fusion(
  network: FusionNetwork,
  { width, heads, epsilon, pad }: FusionSizes,
  features: Float32Array,
  prompt: readonly number[],
): FusionResult {
  const { tags, words, detector, phraseMap } = network;
  const cells = network.imagePosition.length / width;
  const normed = (x: Float32Array, norm: FusionNorm) => layerNorm(x, { ...norm, epsilon });
  const embedded = (tokens: Iterable<number>) =>
    Float32Array.from(
      [...tokens].flatMap((token) => [...words.subarray(token * width, (token + 1) * width)]),
    );
  let image = product(features, network.image);
  const seen = tags && classify(tags, features, cells);
  if (tags && seen) {
    const names = Float32Array.from(
      Array.from({ length: tags.classes }, (_, id) => {
        const pieces = nameOf(tags, id).filter((token) => token !== pad);
        const rows = embedded(pieces);
        return Array.from({ length: width }, (_, i) =>
          pieces.reduce((sum, _, piece) => sum + rows[piece * width + i]! / pieces.length, 0),
        ).map((mean) => mean * Math.sqrt(width));
      }).flat(),
    );
    const none = new Float32Array(width);
    const mixture = product(seen.mixture, { weight: names, bias: none });
    image = product(mixture, { weight: tags.cell, bias: none }, { residual: image });
  }
  const rows = [...normed(image, network.imageNorm)].map((x, i) => x + network.imagePosition[i]!);
  if (tags && seen) {
    const pieces = seen.told.flatMap(({ id }) => [...nameOf(tags, id)]);
    normed(embedded(pieces), tags.norm).forEach((x, i) => {
      const { likely } = seen.told[Math.floor(i / (width * tags.pieces))]!;
      rows.push(x + tags.position[i]! + likely * tags.sure[i % width]!);
    });
  }
  const evidence = detector && detect(detector, features, cells);
  normed(embedded(prompt), network.wordNorm).forEach((x, i) => {
    const nats = evidence?.[prompt[Math.floor(i / width)]!] ?? 0;
    const gain = (nats > 0 ? detector?.there : detector?.missing)?.[i % width] ?? 0;
    rows.push(x + network.wordPosition[i]! + nats * gain);
  });
  let x: Float32Array = Float32Array.from(rows);
  const count = x.length / width;
  const stride = 3 * width;
  for (const { selfNorm, qkv, out, ffnNorm, up, down } of network.layers) {
    const data = product(x, qkv, { norm: { ...selfNorm, epsilon } });
    const attended = attention(
      { data, offset: 0, stride },
      { data, offset: width, stride },
      { data, offset: 2 * width, stride },
      { queries: count, keys: count, heads, width },
    );
    x = product(attended, out, { residual: x });
    const inside = product(x, up, { norm: { ...ffnNorm, epsilon }, gelu: true });
    x = product(inside, down, { residual: x });
  }
  const memory = Float32Array.from(normed(x, network.norm));
  const places = phraseMap && mapped(phraseMap, image, epsilon, prompt);
  return { memory, told: seen?.told ?? [], evidence, places };
}

/** Each cell's softmax over the classes, and the likeliest of the softmax of their mean. */
function classify(
  { classifier, classes, count }: FusionTags,
  features: Float32Array,
  cells: number,
): { mixture: Float32Array; told: { id: number; likely: number }[] } {
  const head = classifier.weight.length / classes;
  const width = features.length / cells;
  const heads = features.filter((_, i) => i % width < head);
  const logits = product(heads, classifier);
  const rowOf = (cell: number) => [...logits.subarray(cell * classes, (cell + 1) * classes)];
  const rows = Array.from({ length: cells }, (_, cell) => rowOf(cell));
  const mean = rowOf(0).map((_, id) => rows.reduce((sum, row) => sum + row[id]! / cells, 0));
  const told = softmax(mean)
    .map((likely, id) => ({ id, likely }))
    .sort((a, b) => b.likely - a.likely)
    .slice(0, count);
  return { mixture: Float32Array.from(rows.flatMap(softmax)), told };
}

/** What the mean of the cells says of each token. */
function detect(
  { inside, table }: FusionWords,
  features: Float32Array,
  cells: number,
): Float32Array {
  const width = features.length / cells;
  const mean = new Float32Array(width);
  features.forEach((x, i) => {
    mean[i % width] = mean[i % width]! + x / cells;
  });
  const units = product(mean, inside, { gelu: true });
  const none = new Float32Array(table.length / inside.bias.length);
  return product(units, { weight: table, bias: none }).map((nats) =>
    Math.max(-MOST_EVIDENCE, Math.min(MOST_EVIDENCE, nats)),
  );
}

/** Where in the image the prompt's phrase is; `image` [cells, width] is what the first product makes of them. */
function mapped(
  { inside, table, prior }: FusionPhraseMap,
  image: Float32Array,
  epsilon: number,
  prompt: readonly number[],
): Float32Array {
  const width = image.length / prior.length;
  const plain = { gain: new Float32Array(width).fill(1), bias: new Float32Array(width), epsilon };
  const cells = product(image, inside, { norm: plain, gelu: true });
  const units = inside.bias.length;
  return prior.map((odds, cell) => {
    const row = cells.subarray(cell * units, (cell + 1) * units);
    const said = prompt.map((token) =>
      row.reduce((sum, x, i) => sum + x * table[token * units + i]!, 0),
    );
    return said.reduce((sum, x) => sum + x, odds);
  });
}

function softmax(logits: readonly number[]): number[] {
  const largest = Math.max(...logits);
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0);
  return logits.map((logit) => Math.exp(logit - largest) / total);
}

function nameOf({ names, pieces }: FusionTags, id: number): Uint32Array {
  return names.subarray(id * pieces, (id + 1) * pieces);
}

function product(
  x: Float32Array,
  { weight, bias }: FusionLinear,
  options: LinearOptions = {},
): Float32Array {
  const outputs = bias.length;
  const packed = packLinear(
    { shape: [weight.length / outputs, outputs], data: weight },
    { shape: [outputs], data: bias },
  );
  return linear(x, packed, options);
}
