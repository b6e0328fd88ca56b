/** A decoder's weights as the reference's layers take them, by name. */
import type { DecoderShape, DecoderWeights, Weight } from '../model/decoder.ts';
import type { Norm } from './layernorm.ts';
import { type Linear, packLinear } from './linear.ts';

/** Finds layers among weights that are all there. */
export interface Layers {
  weight(name: string): Weight;
  norm(name: string): Norm;
  /** Lays the matrix out anew. */
  linear(name: string): Linear;
}

export function layersOf(
  { epsilon }: Pick<DecoderShape, 'epsilon'>,
  weights: DecoderWeights,
): Layers {
  const weight = (name: string) => weights.get(name) as Weight;
  return {
    weight,
    norm: (name) => ({
      gain: weight(`${name}.weight`).data,
      bias: weight(`${name}.bias`).data,
      epsilon,
    }),
    linear: (name) => packLinear(weight(`${name}.weight`), weight(`${name}.bias`)),
  };
}
