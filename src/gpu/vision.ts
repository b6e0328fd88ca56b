/**
 * The vision network on a GPU: patches of pixels to the features of each cell.
 *
 * Pixels are rows of products and channels their columns, so that a block is three dispatches:
 * expansion, depthwise convolution and projection, with activations and residual in them.
 */
import { during } from '../model/load-stages.ts';
import {
  type BlockShape,
  type Pointwise,
  type PointwiseShape,
  sidesOf,
  type VisionNetwork,
  type VisionShape,
} from '../model/vision.ts';
import { allocateIn, type Buffers } from './buffers.ts';
import { DepthwiseKernel } from './depthwise.ts';
import { LinearKernel, type LinearOptions } from './linear.ts';
import { packWeights } from './pack.ts';
import { settled } from './settled.ts';
import type { Binding, Step } from './step.ts';
import { type Tiling, tilingForRows } from './tiling.ts';
import { UnshuffleKernel } from './unshuffle.ts';
import type { LinearOnGpu } from './weights.ts';

/** A product with its weights. */
interface Product {
  readonly kernel: LinearKernel;
  readonly weights: LinearOnGpu;
  readonly outputs: number;
}

interface Block {
  readonly expand: Product | undefined;
  readonly depthwise: { readonly kernel: DepthwiseKernel; readonly weights: LinearOnGpu };
  readonly project: Product;
  readonly residual: boolean;
  /** Numbers that go through an image's expansion, and come out of its depthwise convolution. */
  readonly inside: readonly [wide: number, filtered: number];
  /** Pixels of an image's side behind the block. */
  readonly side: number;
}

interface CompiledBlock {
  readonly expand: LinearKernel | undefined;
  readonly depthwise: DepthwiseKernel;
  readonly project: LinearKernel;
}

/** Compiled kernels, for any weights of their sizes. */
export interface VisionKernels {
  readonly stem: LinearKernel;
  readonly blocks: readonly CompiledBlock[];
  readonly head: LinearKernel;
  readonly unshuffle: UnshuffleKernel;
}

/** Kernels and weights, for any batch. */
export interface VisionOnGpu {
  readonly stem: Product;
  /** Pixels of an image's side behind the stem. */
  readonly side: number;
  readonly blocks: readonly Block[];
  /** Index of the block whose output is the finer scale. */
  readonly fine: number;
  readonly head: Product;
  readonly unshuffle: UnshuffleKernel;
}

/**
 * Compiles the kernels, for which no weight has to be there.
 *
 * @param size pixels of an image's side
 * @param stride numbers from one row of features to the next one's
 */
export async function compileVision(
  device: GPUDevice,
  shape: VisionShape,
  size: number,
  stride: number,
  tiling: Tiling,
): Promise<VisionKernels> {
  const sides = sidesOf(shape, size);
  // Blocks of a stage are alike.
  const kernels = new Map<string, Promise<unknown>>();
  const once = <T>(key: object, make: () => Promise<T>): Promise<T> => {
    const text = JSON.stringify(key);
    const kernel = (kernels.get(text) as Promise<T> | undefined) ?? make();
    kernels.set(text, kernel);
    return kernel;
  };
  const product = (
    { inputs, outputs }: PointwiseShape,
    side: number,
    fixed: Omit<LinearOptions, 'inputs' | 'outputs'>,
  ): Promise<LinearKernel> => {
    const options = { inputs, outputs, ...fixed };
    const cut = tilingForRows(tiling, side ** 2, outputs);
    return once({ options, cut }, () => LinearKernel.compile(device, options, cut));
  };
  const block = async ({ expand, depthwise, project, residual }: BlockShape, i: number) => {
    const { channels, kernel, stride: step } = depthwise;
    const before = sides[i - 1] ?? Math.ceil(size / 2);
    const options = { channels, side: before, kernel, stride: step };
    const [expanded, filter, projected] = await settled([
      expand ? product(expand, before, { relu6: true }) : Promise.resolve(undefined),
      once(options, () => DepthwiseKernel.compile(device, options)),
      product(project, sides[i] ?? 0, { residual }),
    ]);
    return { expand: expanded, depthwise: filter, project: projected };
  };
  const [grid = 0] = sides.slice(-1);
  const [stem, blocks, head, unshuffle] = await settled([
    product(shape.stem, Math.ceil(size / 2), { relu6: true }),
    settled(shape.blocks.map(block)),
    product(shape.head, grid, { relu6: true, yStride: stride }),
    UnshuffleKernel.compile(device, {
      channels: shape.blocks[shape.fine]?.project.outputs ?? 0,
      grid,
      stride,
      offset: shape.head.outputs,
    }),
  ]);
  return { stem, blocks, head, unshuffle };
}

/**
 * Uploads the weights into buffers of the caller's, who destroys them if this fails.
 *
 * @param compiling what `compileVision` gives of the same shape, size and tiling
 * @throws NarvlError 'out-of-memory' if the weights do not fit the GPU's memory.
 */
export async function prepareVision(
  buffers: Buffers,
  network: VisionNetwork,
  size: number,
  tiling: Tiling,
  compiling: Promise<VisionKernels>,
): Promise<VisionOnGpu> {
  const packed = (layer: Pointwise) =>
    during('upload', () => upload(buffers, packWeights(layer, tiling.weightBits)));
  const [kernels, stem, blocks, head] = await settled([
    compiling,
    packed(network.stem),
    settled(
      network.blocks.map(({ expand, depthwise, project }) =>
        settled([
          expand ? packed(expand) : Promise.resolve(undefined),
          during('upload', () => upload(buffers, depthwise)),
          packed(project),
        ]),
      ),
    ),
    packed(network.head),
  ]);
  const sides = sidesOf(network, size);
  const start = Math.ceil(size / 2);
  return {
    stem: { kernel: kernels.stem, weights: stem, outputs: network.stem.outputs },
    side: start,
    blocks: network.blocks.map(({ expand, depthwise, project, residual }, i) => {
      const {
        expand: wide,
        depthwise: filter,
        project: narrow,
      } = kernels.blocks[i] as CompiledBlock;
      const [wideWeights, filterWeights, narrowWeights] = blocks[i] as (typeof blocks)[0];
      const [before, side] = [sides[i - 1] ?? start, sides[i] ?? 0];
      return {
        expand:
          expand && wide && wideWeights
            ? { kernel: wide, weights: wideWeights, outputs: expand.outputs }
            : undefined,
        depthwise: { kernel: filter, weights: filterWeights },
        project: { kernel: narrow, weights: narrowWeights, outputs: project.outputs },
        residual,
        inside: [before ** 2 * depthwise.channels, side ** 2 * depthwise.channels],
        side,
      };
    }),
    fine: network.fine,
    head: { kernel: kernels.head, weights: head, outputs: network.head.outputs },
    unshuffle: kernels.unshuffle,
  };
}

/**
 * The dispatches of a batch: three a block, and three around.
 *
 * @param patches [batch, ceil(size / 2)², PATCH]
 * @param features [batch, cells, stride], whose first numbers they write
 */
export function visionSteps(
  { stem, side, blocks, fine, head, unshuffle }: VisionOnGpu,
  owner: Buffers,
  patches: GPUBuffer,
  features: GPUBuffer,
  batch: number,
): Step[] {
  const linear = (
    { kernel, weights }: Product,
    x: GPUBuffer,
    y: Binding,
    rows: number,
    residual?: GPUBuffer,
  ) => kernel.step(owner, { ...weights, x, y, ...(residual ? { residual } : {}) }, rows);
  // One block's output is the next one's input: two buffers take turns, and the finer scale stays.
  const outside = Math.max(
    side ** 2 * stem.outputs,
    ...blocks.map((block) => block.side ** 2 * block.project.outputs),
  );
  const [wide, filtered] = [0, 1].map((i) => {
    const most = Math.max(...blocks.map(({ inside }) => inside[i as 0 | 1]));
    return owner.storage(`vision inside ${i}`, batch * most);
  }) as [GPUBuffer, GPUBuffer];
  let x = owner.storage('vision x', batch * outside);
  const free = [owner.storage('vision other x', batch * outside)];
  const fineScale = owner.storage('vision fine', batch * outside);

  const steps = [linear(stem, patches, x, batch * side ** 2)];
  let before = side;
  blocks.forEach((block, i) => {
    if (block.expand) steps.push(linear(block.expand, x, wide, batch * before ** 2));
    const inside = block.expand ? wide : x;
    const { kernel, weights } = block.depthwise;
    steps.push(kernel.step(owner, { ...weights, x: inside, y: filtered }, batch));
    const y = (i === fine ? undefined : free.pop()) ?? fineScale;
    const residual = block.residual ? x : undefined;
    steps.push(linear(block.project, filtered, y, batch * block.side ** 2, residual));
    if (x !== fineScale) free.push(x);
    x = y;
    before = block.side;
  });
  return [
    ...steps,
    linear(head, x, features, batch * before ** 2),
    unshuffle.step(owner, fineScale, features, batch),
  ];
}

/** Weights as they are. */
function upload(
  buffers: Buffers,
  { weight, bias }: { weight: Float32Array | Uint32Array; bias: Float32Array },
): Promise<LinearOnGpu> {
  return allocateIn(buffers, () => ({
    weight: buffers.upload('vision weight', weight),
    bias: buffers.upload('vision bias', bias),
  }));
}
