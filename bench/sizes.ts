/** The decoders that are timed. */
import type { DecoderShape, DecoderWeights } from '../src/model/decoder.ts';
import { randomWeights } from '../src/testing/random.ts';

/** A decoder with what it is asked for. */
export interface Size {
  readonly name: string;
  readonly shape: DecoderShape;
  readonly weights: DecoderWeights;
  /** Queries of a caption, and of an answer; the answer's come behind. */
  readonly captionSlots: number;
  readonly answerSlots: number;
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
    captionSlots: 20,
    answerSlots: 6,
  };
}
