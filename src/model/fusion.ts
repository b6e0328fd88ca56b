/**
 * The fusion network as our kernels run it: a transformer encoder over an image's cells, the names that a
 * classifier sees there, and a prompt whose words say whether a detector sees them too; and, of models that have
 * one, a map of where in the photo the prompt's phrase is. Read off fusion.onnx (training/network/model.py: Fusion,
 * Tags; word_detector.py: WordDetector).
 */
import { checkWeight } from './checks.ts';
import type { Weight } from './decoder.ts';
import { type Manifest, onlyTask } from './manifest.ts';
import type { OnnxGraph } from './onnx.ts';

/** A product's weights. */
export interface FusionLinear {
  /** [inputs, outputs] */
  readonly weight: Float32Array;
  /** [outputs] */
  readonly bias: Float32Array;
}

/** A layer norm's weights, [d] each. */
export interface FusionNorm {
  readonly gain: Float32Array;
  readonly bias: Float32Array;
}

/** x += out(attend(qkv(LN(x)))), x += down(gelu(up(LN(x)))). */
export interface FusionLayer {
  readonly selfNorm: FusionNorm;
  readonly qkv: FusionLinear;
  readonly out: FusionLinear;
  readonly ffnNorm: FusionNorm;
  readonly up: FusionLinear;
  readonly down: FusionLinear;
}

/** What the classifier sees, in words: each cell's mixture of all names, and the likeliest spelt out. */
export interface FusionTags {
  /** From the features' first numbers to `classes` logits. */
  readonly classifier: FusionLinear;
  readonly classes: number;
  /** [classes, pieces]: token ids of each class's name, filled up by the prompt's padding. */
  readonly names: Uint32Array;
  /** Names that are spelt out, and the most pieces of one. */
  readonly count: number;
  readonly pieces: number;
  /** [d, d]: from a mixture of names to what a cell gains. */
  readonly cell: Float32Array;
  readonly norm: FusionNorm;
  /** [count · pieces, d] */
  readonly position: Float32Array;
  /** [d], what a name's row gains for each 1 of its likelihood. */
  readonly sure: Float32Array;
}

/** Nats of evidence that count, for or against a word: `MOST` of training/network/word_detector.py. */
export const MOST_EVIDENCE = 4;

/** From the mean of an image's cells to evidence for each token of the vocabulary. */
export interface FusionWords {
  /** [features, units], then GELU. */
  readonly inside: FusionLinear;
  /** [units, vocabulary] */
  readonly table: Float32Array;
  /** [d] each: what each nat of evidence for a prompt's word adds, and each against it takes away. */
  readonly there: Float32Array;
  readonly missing: Float32Array;
}

/**
 * From cells, as the first product has them, and a prompt to log odds that each cell lies in the box of the phrase:
 * `prior` of the cell, and the sum over the prompt's tokens of their rows of `table` times the cell's units, which
 * are gelu(LN(cell)·inside), for LN without gain and bias.
 */
export interface FusionPhraseMap {
  /** [d, units] */
  readonly inside: FusionLinear;
  /** [vocabulary, units]; zeros for the prompt's padding. */
  readonly table: Float32Array;
  /** [cells] */
  readonly prior: Float32Array;
}

/** The whole network; heads and epsilon are the decoder's. */
export interface FusionNetwork {
  readonly image: FusionLinear;
  readonly imageNorm: FusionNorm;
  /** [cells, d] */
  readonly imagePosition: Float32Array;
  /** [vocabulary, d] */
  readonly words: Float32Array;
  readonly wordNorm: FusionNorm;
  /** [prompt length, d] */
  readonly wordPosition: Float32Array;
  readonly tags: FusionTags | undefined;
  readonly detector: FusionWords | undefined;
  readonly phraseMap: FusionPhraseMap | undefined;
  readonly layers: readonly FusionLayer[];
  readonly norm: FusionNorm;
}

/**
 * The network in a graph; undefined if it is another kind of network, which onnxruntime runs.
 * @throws NarvlError 'invalid-model' if it is one whose weights have other shapes or are damaged.
 */
export function readFusion(
  graph: OnnxGraph,
  {
    features,
    prompt,
    names,
    decoder: { width, vocabulary, evidence },
    tasks,
  }: Pick<Manifest, 'features' | 'prompt' | 'names' | 'decoder' | 'tasks'>,
): FusionNetwork | undefined {
  const mapped = onlyTask({ tasks }, 'locate')?.bins.map !== undefined;
  const own = [...graph.names].filter((name) => !name.startsWith('onnx::'));
  // The exported module is one around fusion; of models without names it once was fusion itself.
  const within = graph.names.has('fusion.norm.weight') ? 'fusion' : '';
  const prefix = within && `${within}.`;
  const size = (name: string, axis: number) =>
    graph.weight(`${prefix}${name}`)?.shape[axis] ?? Number.NaN;
  const layerCount = own.filter((name) => name.endsWith('.self.norm.weight')).length;
  const ffn = size('layers.0.ffn.up.bias', 0);
  const head = size('tags.weight', 0);
  const classes = size('tags.weight', 1);
  const units = size('word_detector.inside', 1);
  const places = size('phrase_map.inside', 1);

  const shapes = new Map<string, readonly number[]>([
    ['image.bias', [width]],
    ['image_norm.weight', [width]],
    ['image_norm.bias', [width]],
    ['image_position', [features.rows, width]],
    ['word.weight', [vocabulary, width]],
    ['word_norm.weight', [width]],
    ['word_norm.bias', [width]],
    ['word_position', [prompt.length, width]],
    ['norm.weight', [width]],
    ['norm.bias', [width]],
  ]);
  if (names) {
    shapes.set('tags.weight', [head, classes]);
    shapes.set('tags.bias', [classes]);
    shapes.set('tags.names', [classes, names.length]);
    shapes.set('tags.norm.weight', [width]);
    shapes.set('tags.norm.bias', [width]);
    shapes.set('tags.position', [names.count * names.length, width]);
    shapes.set('tags.sure', [width]);
  }
  if (evidence) {
    shapes.set('word_detector.inside', [features.width, units]);
    shapes.set('word_detector.bias', [units]);
    shapes.set('word_detector.table', [units, vocabulary]);
    shapes.set('there', [width]);
    shapes.set('missing', [width]);
  }
  if (mapped) {
    shapes.set('phrase_map.inside', [width, places]);
    shapes.set('phrase_map.bias', [places]);
    shapes.set('phrase_map.table.weight', [vocabulary, places]);
    shapes.set('phrase_map.prior', [features.rows]);
  }
  for (let i = 0; i < layerCount; i++) {
    for (const norm of ['self.norm', 'ffn.norm']) {
      shapes.set(`layers.${i}.${norm}.weight`, [width]);
      shapes.set(`layers.${i}.${norm}.bias`, [width]);
    }
    shapes.set(`layers.${i}.self.qkv.bias`, [3 * width]);
    shapes.set(`layers.${i}.self.attention.out.bias`, [width]);
    shapes.set(`layers.${i}.ffn.up.bias`, [ffn]);
    shapes.set(`layers.${i}.ffn.down.bias`, [width]);
  }
  // Any weight more is for something that is not known here.
  const known =
    own.length === shapes.size && own.every((name) => shapes.has(name.slice(prefix.length)));
  const inFours =
    (!names || classes % 4 === 0) &&
    (!evidence || units % 4 === 0) &&
    (!mapped || places % 4 === 0);
  if (!known || layerCount === 0 || !inFours) return undefined;

  const checked = (name: string, shape: readonly number[], weight: Weight | undefined) => {
    checkWeight(`fusion.onnx: ${name}`, shape, weight);
    return weight.data;
  };
  const read = (name: string) =>
    checked(name, shapes.get(name) ?? [], graph.weight(`${prefix}${name}`));
  const norm = (name: string): FusionNorm => ({
    gain: read(`${name}.weight`),
    bias: read(`${name}.bias`),
  });
  // The exporter numbers matrices; the node that multiplies by one has its module's name.
  const multiplier = (path: string): Weight | undefined => {
    const modules = path.replace(/\./g, '/').replace(/layers\/(\d+)/, 'layers.$1');
    const name = `/${[within, modules, 'MatMul'].filter(Boolean).join('/')}`;
    return graph.weight(graph.nodes.find((node) => node.name === name)?.inputs[1] ?? '');
  };
  const matrix = (path: string, inputs: number, outputs: number): Float32Array =>
    checked(path, [inputs, outputs], multiplier(path));
  // One that leaves out the finer scale is not known here either.
  if (multiplier('image')?.shape[0] !== features.width) return undefined;
  const linear = (path: string, inputs: number, outputs: number): FusionLinear => ({
    weight: matrix(path, inputs, outputs),
    bias: read(`${path}.bias`),
  });
  const tags = names && {
    classifier: { weight: read('tags.weight'), bias: read('tags.bias') },
    classes,
    names: Uint32Array.from(read('tags.names')),
    count: names.count,
    pieces: names.length,
    cell: matrix('cell', width, width),
    norm: norm('tags.norm'),
    position: read('tags.position'),
    sure: read('tags.sure'),
  };
  const detector = evidence
    ? {
        inside: { weight: read('word_detector.inside'), bias: read('word_detector.bias') },
        table: read('word_detector.table'),
        there: read('there'),
        missing: read('missing'),
      }
    : undefined;
  const phraseMap = mapped
    ? {
        inside: { weight: read('phrase_map.inside'), bias: read('phrase_map.bias') },
        table: read('phrase_map.table.weight'),
        prior: read('phrase_map.prior'),
      }
    : undefined;
  return {
    image: linear('image', features.width, width),
    imageNorm: norm('image_norm'),
    imagePosition: read('image_position'),
    words: read('word.weight'),
    wordNorm: norm('word_norm'),
    wordPosition: read('word_position'),
    tags,
    detector,
    phraseMap,
    layers: Array.from({ length: layerCount }, (_, i) => ({
      selfNorm: norm(`layers.${i}.self.norm`),
      qkv: linear(`layers.${i}.self.qkv`, width, 3 * width),
      out: linear(`layers.${i}.self.attention.out`, width, width),
      ffnNorm: norm(`layers.${i}.ffn.norm`),
      up: linear(`layers.${i}.ffn.up`, width, ffn),
      down: linear(`layers.${i}.ffn.down`, ffn, width),
    })),
    norm: norm('norm'),
  };
}
