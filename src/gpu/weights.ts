/** The decoder's weights on the GPU, with every layer norm but the queries' folded away. */
import type { ArrivingWeights } from '../model/arriving-weights.ts';
import { checkWeight, weightShapes } from '../model/checks.ts';
import type { DecoderShape, DecoderWeights, WeightBits } from '../model/decoder.ts';
import { during } from '../model/load-stages.ts';
import { allocateIn, type Buffers } from './buffers.ts';
import { foldNorm, type LinearWeights, type NormWeights, padOutputs } from './fold.ts';
import { packWeights } from './pack.ts';
import { settled } from './settled.ts';

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
  /** [queries], of shapes with evidence. */
  readonly tilt: GPUBuffer | undefined;
  /** Columns padded to a multiple of 4. */
  readonly head: LinearOnGpu;
}

/**
 * Uploads weights into buffers of the caller's, who destroys them if this fails: each layer's as soon
 * as they are there.
 *
 * @param memoryNorm the norm that the memory still lacks, [width] each; none if it comes normed
 * @throws NarvlError 'invalid-model' that names a weight which is missing or has another shape.
 * @throws NarvlError 'out-of-memory' if they do not fit the GPU's memory, and what keeps them from
 * arriving.
 */
export async function uploadWeights(
  buffers: Buffers,
  shape: DecoderShape,
  weights: DecoderWeights | ArrivingWeights,
  bits: WeightBits,
  memoryNorm: Promise<NormWeights | undefined> = Promise.resolve(undefined),
): Promise<WeightsOnGpu> {
  const shapes = weightShapes(shape);
  const data = async (name: string): Promise<Float32Array> => {
    const weight = await weights.get(name);
    checkWeight(name, shapes.get(name) ?? [], weight);
    return weight.data;
  };
  const pair = (name: string) => Promise.all([data(`${name}.weight`), data(`${name}.bias`)]);
  const read = async (name: string): Promise<LinearWeights> => {
    const [weight, bias] = await pair(name);
    return { weight, bias };
  };
  const upload = (name: string, linear: LinearWeights): Promise<LinearOnGpu> =>
    during('upload', () => {
      const { weight, bias } = packWeights(linear, bits);
      return allocateIn(buffers, () => ({
        weight: buffers.upload(`${name}.weight`, weight),
        bias: buffers.upload(`${name}.bias`, bias),
      }));
    });
  const fold = async (name: string, norm: string): Promise<LinearWeights> => {
    const [linear, [gain, bias]] = await Promise.all([read(name), pair(norm)]);
    return during('upload', () => foldNorm(linear, { gain, bias }));
  };
  const plain = async (name: string) => upload(name, await read(name));
  const normed = async (name: string, norm: string) => upload(name, await fold(name, norm));
  const memoryProduct = async (name: string) => {
    const [linear, norm] = await Promise.all([read(name), memoryNorm]);
    return upload(name, norm ? await during('upload', () => foldNorm(linear, norm)) : linear);
  };
  const rows = async (name: string) => {
    const numbers = await data(name);
    return during('upload', () => allocateIn(buffers, () => buffers.upload(name, numbers)));
  };
  const layer = async (i: number): Promise<LayerOnGpu> => {
    const at = `layers.${i}`;
    const [qkv, selfOut, crossQ, crossOut, up, down] = await settled([
      normed(`${at}.self.qkv`, `${at}.self.norm`),
      plain(`${at}.self.out`),
      normed(`${at}.cross.q`, `${at}.cross.norm`),
      plain(`${at}.cross.out`),
      normed(`${at}.ffn.up`, `${at}.ffn.norm`),
      plain(`${at}.ffn.down`),
    ]);
    return { qkv, selfOut, crossQ, crossOut, up, down };
  };
  const [queries, queriesGain, queriesBias, tilt, kv, head, layers] = await settled([
    rows('queries.weight'),
    rows('queries.norm.weight'),
    rows('queries.norm.bias'),
    shape.evidence ? rows('queries.tilt') : Promise.resolve(undefined),
    memoryProduct('cross.kv'),
    fold('head', 'head.norm').then((folded) => upload('head', padOutputs(folded))),
    settled(Array.from({ length: shape.layers }, (_, i) => layer(i))),
  ]);
  return { queries, queriesGain, queriesBias, tilt, kv, head, layers };
}
