/**
 * The fusion network on a GPU, in two halves: what the features of an image come to, once a look; and
 * what a prompt makes of them, once a question, with a map of where its phrase is for who asks for one.
 *
 * A cell's row is a product over its features and, behind them, over how likely the classifier finds each
 * class there: names, their scale and the matrix behind them are one matrix, computed at load.
 */
import { type FusionLayer, type FusionNetwork, MOST_EVIDENCE } from '../model/fusion.ts';
import { during } from '../model/load-stages.ts';
import { AttentionKernel } from './attention.ts';
import { allocateIn, type Buffers } from './buffers.ts';
import { CellMeanKernel } from './cell-mean.ts';
import { ClassesKernel, TOLD_NUMBERS } from './classes.ts';
import { foldNorm, type LinearWeights, type NormWeights } from './fold.ts';
import { LinearKernel, type LinearOptions } from './linear.ts';
import { MemoryRowsKernel } from './memory-rows.ts';
import { packWeights } from './pack.ts';
import { PhraseMapKernel } from './phrase-map.ts';
import { settled } from './settled.ts';
import { encodeSteps, type Step } from './step.ts';
import type { Tiling } from './tiling.ts';
import type { LinearOnGpu } from './weights.ts';

/** Sizes that fusion's own weights do not say. */
export interface FusionShape {
  /** Width d of all rows. */
  readonly width: number;
  readonly heads: number;
  readonly epsilon: number;
  /** Cells of an image. */
  readonly cells: number;
  /** Numbers of a cell's features. */
  readonly features: number;
  /** Words of a prompt, padding included. */
  readonly words: number;
  /** The token that names are filled up with. */
  readonly pad: number;
  /** Tokens that a detector has evidence for. */
  readonly vocabulary: number;
}

interface Layer {
  readonly qkv: LinearOnGpu;
  readonly out: LinearOnGpu;
  readonly up: LinearOnGpu;
  readonly down: LinearOnGpu;
}

/** Of the names that fusion is told. */
export interface TagSizes {
  /** Names that are told, and the most pieces of one. */
  readonly count: number;
  readonly pieces: number;
  /** Classes that have a name, and the first numbers of a cell's features, which they are read off. */
  readonly classes: number;
  readonly head: number;
}

/** All sizes: with those that are the network's own. */
export interface FusionSizes extends FusionShape {
  readonly ffn: number;
  readonly tags: TagSizes | undefined;
  /** Units inside the word detector; 0 if there is none. */
  readonly units: number;
  /** Units inside the phrase map; 0 if there is none. */
  readonly places: number;
}

/** Compiled kernels, for any weights of their sizes. */
export interface FusionKernels {
  readonly image: LinearKernel;
  readonly rows: MemoryRowsKernel;
  readonly qkv: LinearKernel;
  readonly attention: AttentionKernel;
  readonly out: LinearKernel;
  readonly up: LinearKernel;
  readonly down: LinearKernel;
  readonly tags:
    | {
        readonly logits: LinearKernel;
        readonly likeliest: ClassesKernel;
        /** From names to what a cell gains by them, for the matrix behind `image`. */
        readonly cell: LinearKernel;
      }
    | undefined;
  readonly detector:
    | {
        readonly mean: CellMeanKernel;
        readonly inside: LinearKernel;
        readonly table: LinearKernel;
      }
    | undefined;
  readonly phraseMap:
    | {
        readonly inside: LinearKernel;
        readonly map: PhraseMapKernel;
      }
    | undefined;
}

/** Kernels and weights, for any batch. */
export interface FusionOnGpu {
  readonly shape: FusionSizes;
  readonly kernels: FusionKernels;
  /** Numbers from one row of features to the next one's: with the classes behind them. */
  readonly stride: number;
  readonly tags: { readonly classifier: LinearOnGpu; readonly names: GPUBuffer } | undefined;
  readonly detector: { readonly inside: LinearOnGpu; readonly table: LinearOnGpu } | undefined;
  readonly phraseMap:
    | { readonly inside: LinearOnGpu; readonly table: GPUBuffer; readonly prior: GPUBuffer }
    | undefined;
  readonly image: LinearOnGpu;
  readonly embeddings: GPUBuffer;
  /** As `MemoryRowsBuffers` has them. */
  readonly constants: GPUBuffer;
  readonly layers: readonly Layer[];
}

/** Numbers from one row of features to the next one's. */
export function featureStride({ features, tags }: Pick<FusionSizes, 'features' | 'tags'>): number {
  return features + (tags?.classes ?? 0);
}

/** Rows of the memory that names are spelt in. */
function namedRows({ tags }: Pick<FusionSizes, 'tags'>): number {
  return tags ? tags.count * tags.pieces : 0;
}

/** Compiles the kernels, for which no weight has to be there. */
export async function compileFusion(
  device: GPUDevice,
  sizes: FusionSizes,
  tiling: Tiling,
): Promise<FusionKernels> {
  const { width, heads, epsilon, cells, features, words, ffn, tags, units, places, vocabulary } =
    sizes;
  const stride = featureStride(sizes);
  const named = namedRows(sizes);
  const linear = (inputs: number, outputs: number, options: Partial<LinearOptions> = {}) =>
    LinearKernel.compile(device, { inputs, outputs, ...options }, tiling);
  // The names' part of its matrix is computed here, in f32.
  const unrounded = (inputs: number) =>
    LinearKernel.compile(device, { inputs, outputs: width }, wide(tiling));
  const normed = { normEpsilon: epsilon };
  const compileTags = async (): Promise<FusionKernels['tags']> => {
    if (!tags) return undefined;
    const { classes, count, head } = tags;
    const [logits, likeliest, cell] = await settled([
      linear(head, classes, { xStride: stride }),
      ClassesKernel.compile(
        device,
        { cells, classes, top: count, stride, offset: features },
        tiling,
      ),
      unrounded(width),
    ]);
    return { logits, likeliest, cell };
  };
  const compileDetector = async (): Promise<FusionKernels['detector']> => {
    if (units === 0) return undefined;
    // Of a row an image, of four of which a tile would mostly be computed for nothing.
    const single: Tiling = { ...tiling, tileRows: 1 };
    const [mean, inside, table] = await settled([
      CellMeanKernel.compile(device, { cells, width: features, stride }, tiling),
      LinearKernel.compile(device, { inputs: features, outputs: units, gelu: true }, single),
      LinearKernel.compile(
        device,
        { inputs: units, outputs: vocabulary, bound: MOST_EVIDENCE },
        single,
      ),
    ]);
    return { mean, inside, table };
  };
  const compilePhraseMap = async (): Promise<FusionKernels['phraseMap']> => {
    if (places === 0) return undefined;
    const [inside, map] = await settled([
      linear(width, places, { ...normed, gelu: true }),
      PhraseMapKernel.compile(device, { cells, units: places, words }, tiling),
    ]);
    return { inside, map };
  };
  const [onGpuTags, detector, phraseMap, image, rows, ...layer] = await settled([
    compileTags(),
    compileDetector(),
    compilePhraseMap(),
    unrounded(stride),
    MemoryRowsKernel.compile(
      device,
      {
        width,
        cells,
        names: named,
        words,
        pieces: tags?.pieces ?? 1,
        epsilon,
        vocabulary: units > 0 ? vocabulary : 0,
      },
      tiling,
    ),
    linear(width, 3 * width, normed),
    AttentionKernel.compile(device, {
      heads,
      width,
      maxKeys: cells + named + words,
      lanes: tiling.attentionLanes,
      queryRows: tiling.queryRows,
    }),
    linear(width, width, { residual: true }),
    linear(width, ffn, { ...normed, gelu: true }),
    linear(ffn, width, { residual: true }),
  ]);
  const [qkv, attention, out, up, down] = layer;
  return { image, rows, qkv, attention, out, up, down, tags: onGpuTags, detector, phraseMap };
}

/**
 * Uploads the weights into buffers of the caller's, who destroys them if this fails.
 *
 * @param compiling what `compileFusion` gives of the same sizes and tiling
 * @throws NarvlError 'out-of-memory' if the weights do not fit the GPU's memory.
 */
export async function prepareFusion(
  buffers: Buffers,
  network: FusionNetwork,
  shape: FusionSizes,
  tiling: Tiling,
  compiling: Promise<FusionKernels>,
): Promise<FusionOnGpu> {
  const { width } = shape;
  const { tags, detector, phraseMap } = network;
  const put = (label: string, data: Float32Array | Uint32Array) =>
    during('upload', () => allocateIn(buffers, () => buffers.upload(label, data)));
  const uploaded = async (
    label: string,
    weights: LinearWeights,
    norm?: NormWeights,
  ): Promise<LinearOnGpu> => {
    const { weight, bias } = await during('upload', () =>
      packWeights(norm ? foldNorm(weights, norm) : weights, tiling.weightBits),
    );
    return { weight: await put(label, weight), bias: await put(label, bias) };
  };
  const layer = async ({ selfNorm, qkv, out, ffnNorm, up, down }: FusionLayer): Promise<Layer> => {
    const [a, b, c, d] = await settled([
      uploaded('fusion qkv', qkv, selfNorm),
      uploaded('fusion out', out),
      uploaded('fusion up', up, ffnNorm),
      uploaded('fusion down', down),
    ]);
    return { qkv: a, out: b, up: c, down: d };
  };
  const uploadedTags = async (): Promise<FusionOnGpu['tags']> => {
    if (!tags) return undefined;
    const [classifier, names] = await settled([
      uploaded('classifier', tags.classifier),
      put('names', tags.names),
    ]);
    return { classifier, names };
  };
  const uploadedDetector = async (): Promise<FusionOnGpu['detector']> => {
    if (!detector) return undefined;
    const { inside, table } = detector;
    const none = new Float32Array(shape.vocabulary);
    const [a, b] = await settled([
      uploaded('detector inside', inside),
      uploaded('detector table', { weight: table, bias: none }),
    ]);
    return { inside: a, table: b };
  };
  const uploadedPhraseMap = async (): Promise<FusionOnGpu['phraseMap']> => {
    if (!phraseMap) return undefined;
    // The norm in front has no gain and no bias, but its centring is folded as others' is.
    const plain = { gain: new Float32Array(width).fill(1), bias: new Float32Array(width) };
    const [inside, table, prior] = await settled([
      uploaded('phrase map inside', phraseMap.inside, plain),
      put('phrase map table', phraseMap.table),
      put('phrase map prior', phraseMap.prior),
    ]);
    return { inside, table, prior };
  };
  const norm = tags?.norm ?? network.wordNorm; // Without names it is not read.
  const nothing = new Float32Array(width);
  const [kernels, onGpuTags, onGpuDetector, onGpuMap, image, ...rest] = await settled([
    compiling,
    uploadedTags(),
    uploadedDetector(),
    uploadedPhraseMap(),
    compiling.then((kernels) => imageMatrix(buffers, network, shape, kernels)),
    put('embeddings', network.words),
    put(
      'constants of rows',
      joined(
        ...[network.imagePosition, tags?.position ?? new Float32Array(), network.wordPosition],
        ...[network.imageNorm, norm, network.wordNorm].flatMap((of) => [of.gain, of.bias]),
        ...[tags?.sure, detector?.there, detector?.missing].map((row) => row ?? nothing),
      ),
    ),
    settled(network.layers.map(layer)),
  ]);
  const [embeddings, constants, layers] = rest;
  const stride = featureStride(shape);
  return {
    ...{ shape, kernels, stride, image, embeddings, constants, layers },
    tags: onGpuTags,
    detector: onGpuDetector,
    phraseMap: onGpuMap,
  };
}

/** What the two halves share: what an image comes to. */
export interface Seen {
  /** [batch, cells, width] */
  readonly cells: GPUBuffer;
  /** [batch, names] as `readTold` reads it; 8 bytes of nothing if there are no names. */
  readonly told: GPUBuffer;
  /** [batch, vocabulary]; none without a word detector. */
  readonly evidence: GPUBuffer | undefined;
}

/**
 * Buffers for what a batch of images comes to.
 * @param evidence another's, that takes its place
 */
export function seenBuffers(
  { shape, detector }: FusionOnGpu,
  owner: Buffers,
  batch: number,
  evidence = detector && owner.storage('evidence', batch * shape.vocabulary),
): Seen {
  return {
    evidence,
    cells: owner.storage('seen cells', batch * shape.cells * shape.width),
    told: owner.storage('told', batch * TOLD_NUMBERS * (shape.tags?.count ?? 1)),
  };
}

/**
 * The dispatches from features to what an image comes to: one, two more with names, three with a detector.
 *
 * @param features [batch, cells, stride]; what is behind the features is written here
 */
export function seenSteps(
  { shape, stride, tags, detector, kernels, image }: FusionOnGpu,
  owner: Buffers,
  features: GPUBuffer,
  { cells, told, evidence }: Seen,
  batch: number,
): Step[] {
  const rows = batch * shape.cells;
  const mixture = kernels.image.step(owner, { ...image, x: features, y: cells }, rows);
  const detecting: Step[] = [];
  if (detector && kernels.detector && evidence) {
    const mean = owner.storage('cell mean', batch * shape.features);
    const inside = owner.storage('detector inside', batch * shape.units);
    detecting.push(
      kernels.detector.mean.step(owner, features, mean, batch),
      kernels.detector.inside.step(owner, { ...detector.inside, x: mean, y: inside }, batch),
      kernels.detector.table.step(owner, { ...detector.table, x: inside, y: evidence }, batch),
    );
  }
  if (!tags || !kernels.tags || stride === shape.features) return [...detecting, mixture];
  const logits = owner.storage('class logits', rows * (stride - shape.features));
  return [
    ...detecting,
    kernels.tags.logits.step(owner, { ...tags.classifier, x: features, y: logits }, rows),
    kernels.tags.likeliest.step(owner, { logits, features, told }, batch),
    mixture,
  ];
}

/** What fusion's dispatches read and write beside the image. */
export interface FusionBuffers {
  /** u32 [words] token ids */
  readonly prompt: GPUBuffer;
  /** u32 [batch]: rows of the memory that hold something. */
  readonly lengths: GPUBuffer;
  /**
   * [batch, cells + names' pieces + words, width], without the network's last norm: the decoder's only
   * product over these rows has it folded in.
   */
  readonly memory: GPUBuffer;
}

/** The dispatches from what an image comes to and a prompt to the memory: five a layer, and one. */
export function fusionSteps(
  { shape, tags, kernels, layers, embeddings, constants }: FusionOnGpu,
  owner: Buffers,
  { cells, told, evidence = told }: Seen,
  { prompt, lengths, memory }: FusionBuffers,
  batch: number,
): Step[] {
  const { width } = shape;
  const count = shape.cells + namedRows(shape) + shape.words;
  const rows = batch * count;
  const x = owner.storage('fusion x', rows * width);
  const other = owner.storage('fusion other x', rows * width);
  const qkv = owner.storage('fusion qkv', rows * 3 * width);
  const seen = owner.storage('fusion seen', rows * width);
  const inside = owner.storage('fusion inside', rows * shape.ffn);
  const names = tags?.names ?? told;
  const begin = { cells, told, names, prompt, embeddings, constants, evidence, y: x };
  const layout = {
    batch,
    queries: count,
    queryStride: 3 * width,
    keys: count,
    keyStride: 3 * width,
    keyOffset: width,
    valueOffset: 2 * width,
  };
  return [
    kernels.rows.step(owner, begin, batch),
    ...layers.flatMap((layer, i) => [
      kernels.qkv.step(owner, { ...layer.qkv, x, y: qkv }, rows),
      kernels.attention.step(owner, { queries: qkv, memory: qkv, lengths, y: seen }, layout),
      kernels.out.step(owner, { ...layer.out, x: seen, residual: x, y: other }, rows),
      kernels.up.step(owner, { ...layer.up, x: other, y: inside }, rows),
      kernels.down.step(
        owner,
        { ...layer.down, x: inside, residual: other, y: i + 1 < layers.length ? x : memory },
        rows,
      ),
    ]),
  ];
}

/** What a phrase map's dispatches read and write beside the image. */
export interface PlacesBuffers {
  /** As of `FusionBuffers`. */
  readonly prompt: GPUBuffer;
  /** [batch, cells] log odds that each cell lies in the box of the prompt's phrase */
  readonly places: GPUBuffer;
}

/** The dispatches from what an image comes to and a prompt to the phrase map: two, of a network that has one. */
export function placesSteps(
  { shape, phraseMap, kernels }: FusionOnGpu,
  owner: Buffers,
  { cells }: Pick<Seen, 'cells'>,
  { prompt, places }: PlacesBuffers,
  batch: number,
): Step[] {
  if (!phraseMap || !kernels.phraseMap) return [];
  const { inside, table, prior } = phraseMap;
  const rows = batch * shape.cells;
  const units = owner.storage('phrase map inside', rows * shape.places);
  return [
    kernels.phraseMap.inside.step(owner, { ...inside, x: cells, y: units }, rows),
    kernels.phraseMap.map.step(owner, { units, prompt, table, prior, places }, batch),
  ];
}

/**
 * The matrix [features + classes, width] of a cell's row: what it makes of the features, and below it
 * names · cell, for each class the mean of its name's embeddings, scaled as rows are.
 */
async function imageMatrix(
  buffers: Buffers,
  { image, tags, words }: FusionNetwork,
  { width, features, pad }: FusionShape,
  kernels: FusionKernels,
): Promise<LinearOnGpu> {
  const classes = tags?.classes ?? 0;
  const whole = new Float32Array((features + classes) * width);
  whole.set(image.weight);
  const onGpu = await allocateIn(buffers, () => ({
    weight: buffers.upload('image', whole),
    bias: buffers.upload('image', image.bias),
  }));
  const kernel = kernels.tags?.cell;
  if (!tags || !kernel) return onGpu;
  const { device } = buffers;
  const means = nameMeans(tags.names, tags.pieces, words, width, pad);
  const encoder = device.createCommandEncoder({ label: 'names' });
  const step = await allocateIn(buffers, () =>
    kernel.step(
      buffers,
      {
        x: buffers.upload('name means', means),
        weight: buffers.upload('cell', tags.cell),
        bias: buffers.storage('no bias', width),
        y: { buffer: onGpu.weight, offset: features * width * 4 },
      },
      classes,
    ),
  );
  encodeSteps(encoder, [step]);
  device.queue.submit([encoder.finish()]);
  return onGpu;
}

/** [classes, width]: √width times the mean of each name's embeddings. */
function nameMeans(
  names: Uint32Array,
  pieces: number,
  words: Float32Array,
  width: number,
  pad: number,
): Float32Array {
  const means = new Float32Array((names.length / pieces) * width);
  for (let name = 0; name < names.length / pieces; name++) {
    const tokens = names.subarray(name * pieces, (name + 1) * pieces).filter((id) => id !== pad);
    for (const token of tokens) {
      for (let i = 0; i < width; i++) {
        const part = ((words[token * width + i] ?? 0) * Math.sqrt(width)) / tokens.length;
        means[name * width + i] = (means[name * width + i] ?? 0) + part;
      }
    }
  }
  return means;
}

/** A tiling for weights that are as wide as they come. */
function wide(tiling: Tiling): Tiling {
  return { ...tiling, weightBits: 32, productBits: 32 };
}

function joined(...parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
