/** The decoder's weights on the GPU, with every layer norm but the queries' folded away. */
import type { DecoderShape, DecoderWeights, WeightBits } from '../model/decoder.ts';
import type { Buffers } from './buffers.ts';
import { foldNorm, type LinearWeights, padOutputs } from './fold.ts';
import { packWeights } from './pack.ts';

/** A linear layer's buffers. */
export interface LinearOnGpu {
  readonly weight: GPUBuffer;
  readonly bias: GPUBuffer;
}

/** The linear layers of one decoder layer. */
export interface LayerOnGpu {
  readonly qkv: LinearOnGpu;
  readonly selfOut: LinearOnGpu;
  readonly crossQ: LinearOnGpu;
  readonly crossOut: LinearOnGpu;
  readonly up: LinearOnGpu;
  readonly down: LinearOnGpu;
}

/** All weights. */
export interface WeightsOnGpu {
  /** [queries, width] */
  readonly queries: GPUBuffer;
  /** [width] */
  readonly queriesGain: GPUBuffer;
  /** [width] */
  readonly queriesBias: GPUBuffer;
  readonly kv: LinearOnGpu;
  readonly layers: readonly LayerOnGpu[];
  /** Columns padded to a multiple of 4. */
  readonly head: LinearOnGpu;
}

/** Uploads weights that `checkModel` has passed. */
export function uploadWeights(
  buffers: Buffers,
  shape: DecoderShape,
  weights: DecoderWeights,
  bits: WeightBits,
): WeightsOnGpu {
  const data = (name: string): Float32Array => weights.get(name)?.data ?? new Float32Array();
  const read = (name: string): LinearWeights => ({
    weight: data(`${name}.weight`),
    bias: data(`${name}.bias`),
  });
  const upload = (name: string, linear: LinearWeights): LinearOnGpu => {
    const { weight, bias } = packWeights(linear, bits);
    return {
      weight: buffers.upload(`${name}.weight`, weight),
      bias: buffers.upload(`${name}.bias`, bias),
    };
  };
  const fold = (name: string, norm: string): LinearWeights =>
    foldNorm(read(name), { gain: data(`${norm}.weight`), bias: data(`${norm}.bias`) });
  const plain = (name: string) => upload(name, read(name));
  const normed = (name: string, norm: string) => upload(name, fold(name, norm));
  return {
    queries: buffers.upload('queries', data('queries.weight')),
    queriesGain: buffers.upload('queries.norm.weight', data('queries.norm.weight')),
    queriesBias: buffers.upload('queries.norm.bias', data('queries.norm.bias')),
    kv: plain('cross.kv'),
    layers: Array.from({ length: shape.layers }, (_, i) => ({
      qkv: normed(`layers.${i}.self.qkv`, `layers.${i}.self.norm`),
      selfOut: plain(`layers.${i}.self.out`),
      crossQ: normed(`layers.${i}.cross.q`, `layers.${i}.cross.norm`),
      crossOut: plain(`layers.${i}.cross.out`),
      up: normed(`layers.${i}.ffn.up`, `layers.${i}.ffn.norm`),
      down: plain(`layers.${i}.ffn.down`),
    })),
    head: upload('head', padOutputs(fold('head', 'head.norm'))),
  };
}
