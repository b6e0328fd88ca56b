/** The decoders that are timed. */
import type { Pointing } from '../src/decode/location.ts';
import type { Search } from '../src/decode/search.ts';
import type { DecoderShape, DecoderWeights, QueryRange } from '../src/model/decoder.ts';
import { randomWeights } from '../src/testing/random.ts';

/** A decoder with what it is asked for. */
export interface Size {
  readonly name: string;
  readonly shape: DecoderShape;
  readonly weights: DecoderWeights;
  readonly captions: QueryRange;
  /** Undefined if it answers nothing. */
  readonly answers: QueryRange | undefined;
  /** Slots that point, the location tokens and how a box is read off them; undefined if it points at nothing. */
  readonly boxes?:
    | {
        readonly queries: QueryRange;
        readonly tokens: readonly number[];
        readonly how: Omit<Pointing, 'curve'>;
      }
    | undefined;
  /** Slots that judge, and the tokens of each label; undefined if it judges nothing. */
  readonly verdicts?:
    | { readonly queries: QueryRange; readonly labels: readonly (readonly number[])[] }
    | undefined;
  /** How the best caption of the posteriors is found, where that is known. */
  readonly search: Search | undefined;
  /** decoder.onnx and the file of its weights, if there are any. */
  readonly fallback?: { readonly graph: ArrayBuffer; readonly weights: ArrayBuffer };
}

/** The paper's base size, with random weights: 20 queries for captions and 6 for answers. */
export function paperBase(): Size {
  const shape: DecoderShape = {
    ...{ width: 768, heads: 12, layers: 6, ffn: 3072, vocabulary: 59_458 },
    ...{ queries: 26, memory: 900, blank: 0, eos: 2, epsilon: 1e-5 },
  };
  return {
    name: "the paper's base size, random weights",
    shape,
    weights: randomWeights(shape, 1),
    captions: { first: 0, count: 20 },
    answers: { first: 20, count: 6 },
    search: undefined,
  };
}
