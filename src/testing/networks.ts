/** Small vision and fusion networks with random weights, of every kind of layer that the large ones have. */
import type { FusionLinear, FusionNetwork, FusionNorm } from '../model/fusion.ts';
import { PATCH, type Pointwise, type VisionBlock, type VisionNetwork } from '../model/vision.ts';
import { randomMatrix, randomNumbers, seededRandom } from './random.ts';

/** For images of a multiple of 16 pixels a side: two halvings behind the stem, one before the last scale. */
export function randomVision(seed: number): VisionNetwork {
  const random = seededRandom(seed);
  const pointwise = (inputs: number, outputs: number): Pointwise => ({
    inputs,
    outputs,
    weight: randomMatrix(random, inputs, outputs).data,
    bias: randomNumbers(random, outputs),
  });
  const block = (
    inputs: number,
    outputs: number,
    [kernel, stride, expansion]: readonly [number, number, number],
  ): VisionBlock => {
    const channels = inputs * expansion;
    return {
      expand: expansion > 1 ? pointwise(inputs, channels) : undefined,
      depthwise: {
        channels,
        kernel,
        stride,
        weight: randomNumbers(random, kernel ** 2 * channels, 1.7 / kernel),
        bias: randomNumbers(random, channels),
      },
      project: pointwise(channels, outputs),
      residual: inputs === outputs && stride === 1,
    };
  };
  return {
    stem: pointwise(PATCH, 8),
    blocks: [
      block(8, 4, [3, 1, 1]),
      block(4, 12, [3, 2, 6]),
      block(12, 12, [5, 1, 2]),
      block(12, 16, [5, 2, 3]),
      block(16, 16, [3, 1, 2]),
    ],
    fine: 2,
    head: pointwise(16, 40),
  };
}

/** Sizes of `randomFusion`: what `randomVision` makes of images of 24 pixels a side stands before it. */
export const fusionShape = {
  ...{ width: 32, heads: 4, epsilon: 1e-5, cells: 9, features: 88, words: 6, pad: 3 },
  ...{ classes: 20, head: 40, vocabulary: 52, ffn: 48, count: 3, pieces: 2, units: 12, places: 8 },
};

/** @param has whether it has a classifier that tells it names, a word detector, and a phrase map */
export function randomFusion(
  seed: number,
  has: { readonly names: boolean; readonly detector: boolean; readonly map?: boolean },
  shape = fusionShape,
): FusionNetwork {
  const { width, cells, features, words, pad, classes, head, vocabulary, ffn, count, pieces } =
    shape;
  const { units, places } = shape;
  const random = seededRandom(seed);
  const linear = (inputs: number, outputs: number): FusionLinear => ({
    weight: randomMatrix(random, inputs, outputs).data,
    bias: randomNumbers(random, outputs, 0.2),
  });
  const norm = (): FusionNorm => ({
    gain: randomNumbers(random, width, 0.2).map((x) => x + 1),
    bias: randomNumbers(random, width, 0.2),
  });
  const network = {
    image: linear(features, width),
    imageNorm: norm(),
    imagePosition: randomNumbers(random, cells * width),
    words: randomNumbers(random, vocabulary * width, 0.1),
    wordNorm: norm(),
    wordPosition: randomNumbers(random, words * width),
    tags: has.names
      ? {
          classifier: linear(head, classes),
          classes,
          // A first piece always, and of every other name a second one.
          names: Uint32Array.from({ length: classes * pieces }, (_, i) =>
            i % 4 === 1 ? pad : 4 + Math.floor(random() * (vocabulary - 4)),
          ),
          count,
          pieces,
          cell: randomMatrix(random, width, width).data,
          norm: norm(),
          position: randomNumbers(random, count * pieces * width),
          sure: randomNumbers(random, width),
        }
      : undefined,
    detector: has.detector
      ? {
          inside: linear(features, units),
          // Wide enough that some of what it says is cut off.
          table: randomMatrix(random, units, vocabulary).data.map((x) => 40 * x),
          there: randomNumbers(random, width, 0.3),
          missing: randomNumbers(random, width, 0.3),
        }
      : undefined,
    layers: Array.from({ length: 2 }, () => ({
      selfNorm: norm(),
      qkv: linear(width, 3 * width),
      out: linear(width, width),
      ffnNorm: norm(),
      up: linear(width, ffn),
      down: linear(ffn, width),
    })),
    norm: norm(),
  };
  if (!has.map) return { ...network, phraseMap: undefined };
  const table = randomNumbers(random, vocabulary * places);
  table.fill(0, pad * places, (pad + 1) * places);
  const phraseMap = { inside: linear(width, places), table, prior: randomNumbers(random, cells) };
  return { ...network, phraseMap };
}
