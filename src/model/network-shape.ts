/** Sizes of what stands before the decoder: as it was read, and as the manifest says before it is there. */
import type { Manifest } from './manifest.ts';
import type { Network } from './network.ts';
import { PATCH, type PointwiseShape, type VisionShape } from './vision.ts';

/** What kernels are compiled for, beside the manifest's own sizes. */
export interface NetworkShape {
  readonly vision: VisionShape;
  readonly fusion: {
    readonly ffn: number;
    /** Classes that have a name, and the numbers of a cell that they are read off; none without names. */
    readonly classes: number;
    readonly head: number;
    /** Units inside the word detector; 0 if there is none. */
    readonly units: number;
    /** Units inside the phrase map; 0 if there is none. */
    readonly places: number;
  };
}

/** What the kernels of a network that was read are compiled for. */
export function shapeOf({ vision, fusion }: Network): NetworkShape {
  const sizes = ({ inputs, outputs }: PointwiseShape) => ({ inputs, outputs });
  const { classes = 0, classifier } = fusion.tags ?? {};
  return {
    vision: {
      stem: sizes(vision.stem),
      blocks: vision.blocks.map(({ expand, depthwise, project, residual }) => ({
        expand: expand && sizes(expand),
        depthwise: {
          channels: depthwise.channels,
          kernel: depthwise.kernel,
          stride: depthwise.stride,
        },
        project: sizes(project),
        residual,
      })),
      fine: vision.fine,
      head: sizes(vision.head),
    },
    fusion: {
      ffn: fusion.layers[0]?.up.bias.length ?? 0,
      classes,
      head: classifier ? classifier.weight.length / classes : 0,
      units: fusion.detector?.inside.bias.length ?? 0,
      places: fusion.phraseMap?.inside.bias.length ?? 0,
    },
  };
}

/** What a manifest says of the graphs before they are there; undefined if it says nothing. */
export function promisedShape({ network, names }: Manifest): NetworkShape | undefined {
  if (!network) return undefined;
  const { stem, blocks, fine, head } = network.vision;
  let channels = stem;
  const shapes = blocks.map(({ expand, kernel, stride, outputs, residual }) => {
    const inside = expand ?? channels;
    const block = {
      expand: expand === undefined ? undefined : { inputs: channels, outputs: expand },
      depthwise: { channels: inside, kernel, stride },
      project: { inputs: inside, outputs },
      residual,
    };
    channels = outputs;
    return block;
  });
  const { ffn, classes = 0, words: units = 0, places = 0 } = network.fusion;
  return {
    vision: {
      stem: { inputs: PATCH, outputs: stem },
      blocks: shapes,
      fine,
      head: { inputs: channels, outputs: head },
    },
    fusion: names
      ? { ffn, classes, head, units, places }
      : { ffn, classes: 0, head: 0, units, places },
  };
}

/** Whether what was compiled for one fits the other. */
export function alike(one: NetworkShape, other: NetworkShape): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
