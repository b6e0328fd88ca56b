/** The vision network in plain TypeScript: patches of pixels to the features of each cell. */
import type { Pointwise, VisionNetwork } from '../model/vision.ts';
import { depthwise } from './depthwise.ts';
import { type LinearOptions, linear, packLinear } from './linear.ts';

/**
 * @param patches [ceil(size / 2)², PATCH], as `patches` of preprocess.ts gives them
 * @returns [cells, head channels + 4 · channels of the finer scale]
 */
export function vision(network: VisionNetwork, patches: Float32Array): Float32Array {
  let x = product(patches, network.stem, { relu6: true });
  let fine = x;
  network.blocks.forEach(({ expand, depthwise: filter, project, residual }, i) => {
    const wide = expand ? product(x, expand, { relu6: true }) : x;
    const side = Math.sqrt(wide.length / filter.channels);
    const filtered = depthwise(wide, side, filter);
    x = product(filtered, project, residual ? { residual: x } : {});
    if (i === network.fine) fine = x;
  });
  const head = product(x, network.head, { relu6: true });
  return joined(head, network.head.outputs, fine, network.blocks[network.fine]!.project.outputs);
}

/** Each cell's numbers of the head, and channel by channel its four pixels of the finer scale. */
function joined(
  head: Float32Array,
  channels: number,
  fine: Float32Array,
  fineChannels: number,
): Float32Array {
  const cells = head.length / channels;
  const grid = Math.sqrt(cells);
  const width = channels + 4 * fineChannels;
  const features = new Float32Array(cells * width);
  for (let cell = 0; cell < cells; cell++) {
    features.set(head.subarray(cell * channels, (cell + 1) * channels), cell * width);
    for (let i = 0; i < 4 * fineChannels; i++) {
      const y = 2 * Math.floor(cell / grid) + Math.floor((i % 4) / 2);
      const x = 2 * (cell % grid) + (i % 2);
      const from = (y * 2 * grid + x) * fineChannels + Math.floor(i / 4);
      features[cell * width + channels + i] = fine[from]!;
    }
  }
  return features;
}

function product(x: Float32Array, layer: Pointwise, options: LinearOptions): Float32Array {
  const { inputs, outputs, weight, bias } = layer;
  const packed = packLinear(
    { shape: [inputs, outputs], data: weight },
    { shape: [outputs], data: bias },
  );
  return linear(x, packed, options);
}
