/**
 * The contract of a decoder: the shape of its network, its weights, and what one pass says.
 *
 * Three implementations keep it: `gpu/decoder.ts` in WGSL, `wasm/decoder.ts` in onnxruntime's
 * WebAssembly and `reference/decoder.ts` in plain TypeScript. Matrices are stored [in, out],
 * row-major, so that neighbouring outputs are neighbours in memory.
 */

/** The sizes that fix every buffer and dispatch. */
export interface DecoderShape {
  /** Width d of queries, memory and every residual row. */
  readonly width: number;
  /** Attention heads; each is `width / heads` wide. */
  readonly heads: number;
  readonly layers: number;
  /** Width of the feed-forward layer's inside. */
  readonly ffn: number;
  /** Vocabulary size V, blank and EOS included. */
  readonly vocabulary: number;
  /** Rows of the query table. */
  readonly queries: number;
  /** Rows T of the memory buffer for one image, padding included. */
  readonly memory: number;
  /** Id of the CTC blank. */
  readonly blank: number;
  /** Id of the end-of-sentence token; nothing after it is read. */
  readonly eos: number;
  /** Added to the variance in every layer normalisation. */
  readonly epsilon: number;
  /**
   * Whether slots listen to evidence for words, [V] an image: how much likelier each token is to be said of
   * it than of others, by fusion.onnx's word detector.
   */
  readonly evidence?: boolean | undefined;
}

/** One weight as f32 numbers, whatever it was stored as. */
export interface Weight {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/**
 * The decoder's weights by name, for d = width, f = ffn, V = vocabulary, L = layers:
 *
 * | name | shape |
 * |---|---|
 * | `queries.weight` | [queries, d] |
 * | `queries.norm.weight`, `queries.norm.bias` | [d] |
 * | `queries.tilt` | [queries], of shapes with evidence |
 * | `layers.{i}.self.norm.weight`, `….bias` | [d] |
 * | `layers.{i}.self.qkv.weight`, `….bias` | [d, 3d], [3d]: queries, keys, values |
 * | `layers.{i}.self.out.weight`, `….bias` | [d, d], [d] |
 * | `layers.{i}.cross.norm.weight`, `….bias` | [d] |
 * | `layers.{i}.cross.q.weight`, `….bias` | [d, d], [d] |
 * | `layers.{i}.cross.out.weight`, `….bias` | [d, d], [d] |
 * | `layers.{i}.ffn.norm.weight`, `….bias` | [d] |
 * | `layers.{i}.ffn.up.weight`, `….bias` | [d, f], [f] |
 * | `layers.{i}.ffn.down.weight`, `….bias` | [f, d], [d] |
 * | `cross.kv.weight`, `cross.kv.bias` | [d, 2dL], [2dL]: layer i's keys at 2di, values at 2di + d |
 * | `head.norm.weight`, `head.norm.bias` | [d] |
 * | `head.weight`, `head.bias` | [d, V], [V] |
 *
 * The network, pre-LN, for x = LN(queries) and the memory m [T, d]:
 * per layer x += out(attend(qkv(LN(x)))), x += out(attend(q(LN(x)), kv(m))),
 * x += down(gelu(up(LN(x)))), with the tanh form of GELU; at the end head(LN(x)), to whose logits slot n
 * adds its tilt times the evidence.
 * Heads are contiguous slices of a row, scores are scaled by (d / heads)^-1/2, no mask in
 * self-attention, and cross-attention sees the first `memoryLength` rows of m.
 */
export type DecoderWeights = ReadonlyMap<string, Weight>;

/** Bits of a weight on the GPU: 32 and 16 are floating point, 8 a whole number of a scale. */
export type WeightBits = 32 | 16 | 8;

/** The rows of the query table that a task decodes with. */
export interface QueryRange {
  readonly first: number;
  readonly count: number;
}

/** What one query slot chose: its likeliest token. */
export interface Slot {
  readonly token: number;
  /** Natural log of the token's probability in this slot. */
  readonly logProb: number;
  /** True if the collapse kept this slot's token as a new word of the text. */
  readonly kept: boolean;
}

/**
 * The k likeliest tokens of every slot, likeliest first. The GPU's come back in 32 bits each, see
 * `readPacked`: in steps, 1.2e-4 for 5,000 tokens, and nothing below −32.
 */
export interface Posteriors {
  readonly k: number;
  /** [slots, k] token ids. */
  readonly tokens: Uint32Array;
  /** [slots, k] natural log probabilities, over the whole vocabulary. */
  readonly logProbs: Float32Array;
}

/** How likely some tokens are in every slot. */
export interface TokenTable {
  /** Token of each column, none twice. */
  readonly tokens: Uint32Array;
  /** [slots, tokens] natural log probabilities, over the whole vocabulary. */
  readonly logProbs: Float32Array;
}

/** How likely texts are that one brings, by every path through the slots that spells them. */
export interface Scored {
  /** log p of each text; -Infinity if no path spells it. */
  readonly logProbs: Float32Array;
  /** The blank, the end and every token of the texts. */
  readonly table: TokenTable;
}

/** What one decoder pass says about one image. */
export interface Decoding {
  /** Collapsed: repeats merged, blanks dropped, cut at EOS (not included). */
  readonly tokens: readonly number[];
  /** One a query, in order. */
  readonly slots: readonly Slot[];
  /** Only if asked for. */
  readonly posteriors?: Posteriors | undefined;
  /**
   * [slots, memory] where each slot looks: the last layer's cross-attention, averaged over its heads,
   * 0 for memory that holds nothing. Only if asked for.
   */
  readonly attention?: Float32Array | undefined;
  /** Only if there were candidates. */
  readonly scored?: Scored | undefined;
  /** The blank, the end and the tokens that were asked for, in this order; only if some were. */
  readonly table?: TokenTable | undefined;
}

/** What a batch of one decoder pass cost, counted where it happened. */
export interface DecoderCost {
  readonly dispatches: number;
  readonly submits: number;
  /** Bytes mapped back to the CPU, for the whole batch. */
  readonly bytesRead: number;
}

/**
 * Candidates of a pass at most: ctc_score.wgsl takes a workgroup each, and WebGPU dispatches so many in
 * one direction on any device. VQA's answers are 3,129.
 */
export const MOST_CANDIDATES = 65_535;

/** One decoder pass over a batch. */
export interface DecodeRequest {
  /** Memory rows that hold something, per image; its length is the batch size. */
  readonly memoryLengths: readonly number[];
  readonly queries: QueryRange;
  /** Also give the top-k posteriors of every slot. */
  readonly posteriors?: boolean;
  /** Also say where each slot looks. */
  readonly attention?: boolean;
  /** Also say how likely these texts are, the same for every image: token ids of each. */
  readonly candidates?: readonly (readonly number[])[] | undefined;
  /** Also say how likely these tokens are in every slot. Not beside candidates. */
  readonly tokens?: readonly number[] | undefined;
}

/** How many tokens of a slot the posteriors hold: 8, or all of a smaller vocabulary. */
export function posteriorCount(shape: DecoderShape): number {
  return Math.min(8, shape.vocabulary);
}
