/** What all decoders check before they compute: the shape, the weights and each request. */
import { NarvlError } from '../errors.ts';
import {
  type DecodeRequest,
  type DecoderShape,
  type DecoderWeights,
  type Decoding,
  MOST_CANDIDATES,
  type Weight,
} from './decoder.ts';

/** Shape of every weight that a decoder of this shape needs, by name. */
export function weightShapes(shape: DecoderShape): Map<string, readonly number[]> {
  const { width: d, ffn, vocabulary, layers, queries, evidence } = shape;
  const shapes = new Map<string, readonly number[]>();
  const norm = (name: string) => {
    shapes.set(`${name}.weight`, [d]);
    shapes.set(`${name}.bias`, [d]);
  };
  const linear = (name: string, inputs: number, outputs: number) => {
    shapes.set(`${name}.weight`, [inputs, outputs]);
    shapes.set(`${name}.bias`, [outputs]);
  };
  shapes.set('queries.weight', [queries, d]);
  norm('queries.norm');
  if (evidence) shapes.set('queries.tilt', [queries]);
  linear('cross.kv', d, 2 * d * layers);
  for (let i = 0; i < layers; i++) {
    norm(`layers.${i}.self.norm`);
    linear(`layers.${i}.self.qkv`, d, 3 * d);
    linear(`layers.${i}.self.out`, d, d);
    norm(`layers.${i}.cross.norm`);
    linear(`layers.${i}.cross.q`, d, d);
    linear(`layers.${i}.cross.out`, d, d);
    norm(`layers.${i}.ffn.norm`);
    linear(`layers.${i}.ffn.up`, d, ffn);
    linear(`layers.${i}.ffn.down`, ffn, d);
  }
  norm('head.norm');
  linear('head', d, vocabulary);
  return shapes;
}

/**
 * Checks a shape and its weights.
 * @throws NarvlError 'invalid-model' that names the first thing wrong.
 */
export function checkModel(shape: DecoderShape, weights: DecoderWeights): void {
  checkShape(shape);
  for (const [name, expected] of weightShapes(shape))
    checkWeight(name, expected, weights.get(name));
}

/** @throws NarvlError 'invalid-model' that names the first size that cannot be. */
export function checkShape(shape: DecoderShape): void {
  const sizes = ['width', 'heads', 'layers', 'ffn', 'vocabulary', 'queries', 'memory'] as const;
  for (const size of sizes) {
    if (!Number.isSafeInteger(shape[size]) || shape[size] < 1) {
      throw new NarvlError(
        'invalid-model',
        `${size}: expected a positive integer, got ${shape[size]}`,
      );
    }
  }
  const { width, heads, ffn, vocabulary, epsilon, evidence } = shape;
  if (width % heads !== 0) {
    throw new NarvlError('invalid-model', `width ${width} is not a multiple of heads ${heads}`);
  }
  // The kernels read rows four numbers at a time.
  if ((width / heads) % 4 !== 0 || ffn % 4 !== 0) {
    throw new NarvlError(
      'invalid-model',
      `expected multiples of 4, got width / heads = ${width / heads} and ffn = ${ffn}`,
    );
  }
  if (evidence && vocabulary % 4 !== 0) {
    throw new NarvlError(
      'invalid-model',
      `vocabulary: expected a multiple of 4 beside evidence, got ${vocabulary}`,
    );
  }
  if (!(epsilon > 0 && epsilon < 1)) {
    throw new NarvlError('invalid-model', `epsilon: expected a number in (0, 1), got ${epsilon}`);
  }
  for (const token of ['blank', 'eos'] as const) {
    if (!isIndex(shape[token], vocabulary)) {
      throw new NarvlError(
        'invalid-model',
        `${token}: expected a token id below ${vocabulary}, got ${shape[token]}`,
      );
    }
  }
}

/** @throws NarvlError 'invalid-model' unless there is a weight of that shape. */
export function checkWeight(
  name: string,
  expected: readonly number[],
  weight: Weight | undefined,
): asserts weight is Weight {
  if (!weight) throw new NarvlError('invalid-model', `weight ${name} is missing`);
  const numbers = expected.reduce((product, size) => product * size, 1);
  if (`${weight.shape}` !== `${expected}` || weight.data.length !== numbers) {
    throw new NarvlError(
      'invalid-model',
      `weight ${name}: expected [${expected}], got [${weight.shape}] of ${weight.data.length} numbers`,
    );
  }
}

/**
 * Checks a request against the shape of the decoder that is to run it.
 * @throws NarvlError 'invalid-argument' that names the first thing wrong.
 */
export function checkRequest(shape: DecoderShape, request: DecodeRequest): void {
  const { memoryLengths, queries } = request;
  if (memoryLengths.length === 0) {
    throw new NarvlError('invalid-argument', 'memoryLengths: expected one an image, got none');
  }
  for (const length of memoryLengths) {
    if (!isIndex(length - 1, shape.memory)) {
      throw new NarvlError(
        'invalid-argument',
        `memoryLengths: expected 1 to ${shape.memory} rows, got ${length}`,
      );
    }
  }
  const { first, count } = queries;
  if (!isIndex(first, shape.queries) || !isIndex(count - 1, shape.queries - first)) {
    throw new NarvlError(
      'invalid-argument',
      `queries: expected a range within ${shape.queries} rows, got ${count} from ${first}`,
    );
  }
  const { candidates, tokens } = request;
  if (candidates && tokens) {
    throw new NarvlError('invalid-argument', 'expected candidates or tokens, got both');
  }
  if (candidates) checkCandidates(shape, candidates);
  if (tokens) checkTokens(shape, tokens);
}

/**
 * Checks that a batch's memory on the CPU is as large as its request says.
 * @throws NarvlError 'invalid-argument'
 */
export function checkMemory(
  { memory: rows, width }: DecoderShape,
  { memoryLengths }: DecodeRequest,
  memory: Float32Array,
): void {
  const batch = memoryLengths.length;
  if (memory.length === batch * rows * width) return;
  throw new NarvlError(
    'invalid-argument',
    `memory: expected [${batch}, ${rows}, ${width}], got ${memory.length} numbers`,
  );
}

/**
 * Checks that a batch's evidence on the CPU is as large as its request says.
 * @throws NarvlError 'invalid-argument'
 */
export function checkEvidence(
  { vocabulary, evidence: heard }: DecoderShape,
  { memoryLengths }: DecodeRequest,
  evidence: Float32Array | undefined,
): void {
  if (!evidence) return;
  const batch = memoryLengths.length;
  if (heard && evidence.length === batch * vocabulary) return;
  throw new NarvlError(
    'invalid-argument',
    `evidence: expected ${heard ? `[${batch}, ${vocabulary}]` : 'none'}, got ${evidence.length} numbers`,
  );
}

function checkCandidates(shape: DecoderShape, candidates: readonly (readonly number[])[]): void {
  if (candidates.length === 0 || candidates.length > MOST_CANDIDATES) {
    throw new NarvlError(
      'invalid-argument',
      `candidates: expected 1 to ${MOST_CANDIDATES}, got ${candidates.length}`,
    );
  }
  checkWords(shape, candidates.flat(), 'candidates');
}

function checkTokens(shape: DecoderShape, tokens: readonly number[]): void {
  const different = new Set(tokens).size;
  if (tokens.length === 0 || different < tokens.length) {
    throw new NarvlError(
      'invalid-argument',
      `tokens: expected one or more, all different, got ${different} of ${tokens.length}`,
    );
  }
  checkWords(shape, tokens, 'tokens');
}

function checkWords(
  { vocabulary, blank, eos }: DecoderShape,
  tokens: readonly number[],
  name: string,
): void {
  for (const token of tokens) {
    if (isIndex(token, vocabulary) && token !== blank && token !== eos) continue;
    throw new NarvlError(
      'invalid-argument',
      `${name}: expected word tokens below ${vocabulary}, got ${token}`,
    );
  }
}

/**
 * Checks that every slot found a likeliest token, which NaN anywhere before keeps it from.
 * @throws NarvlError 'invalid-model' that names the first slot without one.
 */
export function checkDecoding(shape: DecoderShape, decoding: Decoding): void {
  decoding.slots.forEach(({ token, logProb }, slot) => {
    if (isIndex(token, shape.vocabulary) && Number.isFinite(logProb)) return;
    throw new NarvlError(
      'invalid-model',
      `slot ${slot} has no likeliest token: the weights or the memory are not all finite`,
    );
  });
}

/** True of an integer in [0, size). */
function isIndex(value: number, size: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value < size;
}
