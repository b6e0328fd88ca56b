/**
 * Reads an n-gram model of training texts: how likely a token is after the
 * ones before it.
 *
 * A trie in flat arrays, written by `pack` in training/writing/ngram.py, whose docstring fixes the layout.
 * Nothing in the file is trusted: whatever the bytes are, the result is a model or one
 * 'invalid-model' error that says what was expected and what came.
 */
import { NarvlError } from '../errors.ts';

const MAGIC = 0x4d52474e;
const VERSION = 1;
const MOST_ORDERS = 8;

/** Nats that one step of a stored logarithm stands for. */
const STEP = 1 / 16;

/** What grams of one length the model knows, in lexical order. */
interface Level {
  /** [grams of the level before, and one]: where the followers of each begin in this level. */
  readonly starts: Uint32Array;
  /** [grams]: the last token of each. */
  readonly tokens: Uint16Array;
  /** [grams]: -log p(last token | the others), in steps. */
  readonly probabilities: Uint8Array;
  /** [grams]: -log of the weight that a shorter history has after this one; not in the last level. */
  readonly weights: Uint8Array;
}

/** An interpolated Kneser-Ney model with back-off weights. */
export class NgramModel {
  /** Tokens that a probability looks at, the predicted one included. */
  readonly order: number;
  readonly vocabulary: number;
  readonly #levels: readonly Level[];

  /**
   * @param file as `pack` wrote it
   * @param vocabulary the decoder's vocabulary size
   * @param words how many of its tokens have a text, from 0 on: the file may know of those alone
   * @throws NarvlError 'invalid-model' if the file is no model of that vocabulary.
   */
  constructor(file: ArrayBuffer, vocabulary: number, words = vocabulary) {
    const numbers = Math.min(file.byteLength >> 2, 4 + MOST_ORDERS);
    const header = new Uint32Array(file, 0, numbers);
    const [magic, version, order = 0, size = 0] = header;
    if (magic !== MAGIC || version !== VERSION) {
      throw invalid(`expected an n-gram model of version ${VERSION}`);
    }
    if (size !== vocabulary && size !== words) {
      throw invalid(`expected the decoder's ${vocabulary} tokens, got ${size}`);
    }
    if (order < 1 || order > MOST_ORDERS || header.length < 4 + order) {
      throw invalid(`expected an order of 1 to ${MOST_ORDERS} with its counts, got ${order}`);
    }
    const counts = Array.from(header.subarray(4, 4 + order));
    if (counts[0] !== size) {
      throw invalid(`expected ${size} single tokens, got ${counts[0]}`);
    }
    const reader = new Reader(file, 4 * (4 + order));
    this.#levels = counts.map((grams, level): Level => {
      const parents = level > 0 ? (counts[level - 1] ?? 0) : 0;
      const starts = level > 0 ? reader.u32(parents + 1) : new Uint32Array();
      const tokens = reader.u16(grams);
      const probabilities = reader.u8(grams);
      const weights = level + 1 < order ? reader.u8(grams) : new Uint8Array();
      if (level > 0) checkStarts(starts, grams);
      return { starts, tokens, probabilities, weights };
    });
    reader.end();
    this.order = order;
    this.vocabulary = size;
  }

  /**
   * Natural log of the probability of `token` after `history`, of which the last `order` - 1
   * tokens count; a history starts with BOS where its text does.
   */
  logProb(history: readonly number[], token: number): number {
    let steps = 0;
    for (let n = Math.min(this.order - 1, history.length); n >= 0; n--) {
      const context = this.#find(history, history.length - n, history.length);
      if (context === undefined) continue; // Nor has it a weight.
      const found = this.#follower(n, context, token);
      if (found !== undefined) {
        return -STEP * (steps + (this.#levels[n]?.probabilities[found] ?? 0));
      }
      if (n > 0) steps += this.#levels[n - 1]?.weights[context] ?? 0;
    }
    return Number.NEGATIVE_INFINITY; // No token of the vocabulary.
  }

  /** The gram of the tokens from `start` to before `end` in its level; 0 for no tokens. */
  #find(tokens: readonly number[], start: number, end: number): number | undefined {
    let gram: number | undefined = 0;
    for (let i = start; i < end && gram !== undefined; i++) {
      gram = this.#follower(i - start, gram, tokens[i] ?? -1);
    }
    return gram;
  }

  /** Where in level `n` the gram is that follows `parent`, of the level before, with `token`. */
  #follower(n: number, parent: number, token: number): number | undefined {
    const level = this.#levels[n];
    if (!level) return undefined;
    if (n === 0)
      return Number.isInteger(token) && token >= 0 && token < this.vocabulary ? token : undefined;
    let low = level.starts[parent] ?? 0;
    let high = level.starts[parent + 1] ?? 0;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((level.tokens[middle] ?? 0) < token) low = middle + 1;
      else high = middle;
    }
    return low < (level.starts[parent + 1] ?? 0) && level.tokens[low] === token ? low : undefined;
  }
}

/** Takes arrays one after another, each of which begins at a multiple of 4 bytes. */
class Reader {
  readonly #file: ArrayBuffer;
  #offset: number;

  constructor(file: ArrayBuffer, offset: number) {
    this.#file = file;
    this.#offset = offset;
  }

  u32(length: number): Uint32Array {
    return new Uint32Array(this.#file, this.#take(4 * length), length);
  }

  u16(length: number): Uint16Array {
    return new Uint16Array(this.#file, this.#take(2 * length), length);
  }

  u8(length: number): Uint8Array {
    return new Uint8Array(this.#file, this.#take(length), length);
  }

  /** @throws NarvlError if there is more than was taken. */
  end(): void {
    if (this.#offset !== this.#file.byteLength) {
      throw invalid(`expected ${this.#offset} bytes, got ${this.#file.byteLength}`);
    }
  }

  #take(bytes: number): number {
    const start = this.#offset;
    this.#offset += bytes + (-bytes & 3);
    if (this.#offset > this.#file.byteLength) {
      throw invalid(`expected at least ${this.#offset} bytes, got ${this.#file.byteLength}`);
    }
    return start;
  }
}

function checkStarts(starts: Uint32Array, grams: number): void {
  let last = 0;
  for (const start of starts) {
    if (start < last) throw invalid('expected followers in the order of what they follow');
    last = start;
  }
  if (starts[0] !== 0 || last !== grams) {
    throw invalid(`expected followers from 0 to ${grams}, got ${starts[0]} to ${last}`);
  }
}

function invalid(message: string): NarvlError {
  return new NarvlError('invalid-model', `n-gram model: ${message}`);
}
