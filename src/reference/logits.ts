/** From all logits of an image to what a pass says of it, for decoders that have them on the CPU. */
import { ofTable } from '../decode/emissions.ts';
import { textLogProb } from '../decode/likelihood.ts';
import { checkDecoding } from '../model/checks.ts';
import { columnsOf } from '../model/columns.ts';
import {
  type DecodeRequest,
  type DecoderShape,
  type Decoding,
  posteriorCount,
  type Scored,
  type Slot,
} from '../model/decoder.ts';
import { collapse } from './collapse.ts';
import { posteriors, tokenTable } from './posterior.ts';

/** What the network gives for one image. */
export interface Pass {
  /** [slots, vocabulary] */
  readonly logits: Float32Array;
  /** [slots, memory]: where the slots look in the last layer, if that was asked for. */
  readonly map: Float32Array | undefined;
}

/** @throws NarvlError 'invalid-model' if the logits are not all finite. */
export function readLogits(
  shape: DecoderShape,
  { logits, map }: Pass,
  {
    posteriors: wanted,
    candidates,
    tokens: asked,
  }: Omit<DecodeRequest, 'memoryLengths' | 'queries'>,
): Decoding {
  const { vocabulary, blank, eos } = shape;
  const found = posteriors(logits, vocabulary, posteriorCount(shape));
  const { k, tokens, logProbs } = found;
  const likeliest = tokens.filter((_, i) => i % k === 0);
  const kept = collapse(likeliest, blank, eos);
  const slots = Array.from(likeliest, (token, slot) => ({
    token,
    logProb: logProbs[slot * k]!,
    kept: kept[slot]!,
  }));
  const decoding = {
    tokens: slots.filter((slot) => slot.kept).map((slot) => slot.token),
    slots,
    ...(wanted ? { posteriors: found } : {}),
    ...(map ? { attention: map } : {}),
    ...(asked ? { table: tokenTable(logits, vocabulary, columnsOf([asked], shape).tokens) } : {}),
  };
  checkDecoding(shape, decoding);
  return candidates ? { ...decoding, scored: score(shape, logits, slots, candidates) } : decoding;
}

function score(
  shape: DecoderShape,
  logits: Float32Array,
  slots: readonly Slot[],
  candidates: readonly (readonly number[])[],
): Scored {
  const { tokens } = columnsOf(candidates, shape);
  const table = tokenTable(logits, shape.vocabulary, tokens);
  const emissions = ofTable(table, slots);
  const logProbs = Float32Array.from(candidates, (text) => textLogProb(emissions, text, shape));
  return { logProbs, table };
}
