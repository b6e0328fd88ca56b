/**
 * The vision network as our kernels run it: an EfficientNet-Lite, read off vision.onnx.
 *
 * Pixels are rows, channels innermost. Two scales meet in the features: what the head says of a cell,
 * and the finest scale before the last halving, whose four pixels of a cell stand behind it
 * (training/backbone.py).
 */
import { NarvlError } from '../errors.ts';
import type { Manifest } from './manifest.ts';
import type { OnnxGraph, OnnxNode } from './onnx.ts';

/** Sizes of a convolution that sees one pixel: a product over rows. */
export interface PointwiseShape {
  readonly inputs: number;
  readonly outputs: number;
}

/** Sizes of a convolution of each channel by itself. */
export interface DepthwiseShape {
  readonly channels: number;
  /** Pixels of its window's side. */
  readonly kernel: number;
  readonly stride: number;
}

/** Sizes of an inverted residual: ReLU6 behind the first two, nothing behind the last. */
export interface BlockShape {
  readonly expand: PointwiseShape | undefined;
  readonly depthwise: DepthwiseShape;
  readonly project: PointwiseShape;
  /** Whether what came in is added to what goes out. */
  readonly residual: boolean;
}

/** What of the network a kernel is compiled for; every convolution is padded as TensorFlow's SAME. */
export interface VisionShape {
  /** Over patches of 3 × 3 pixels with their three colours and a zero behind, every second pixel; ReLU6. */
  readonly stem: PointwiseShape;
  readonly blocks: readonly BlockShape[];
  /** Index of the block whose output is the finer scale. */
  readonly fine: number;
  /** ReLU6. */
  readonly head: PointwiseShape;
}

/** A product with its weights. */
export interface Pointwise extends PointwiseShape {
  /** [inputs, outputs] */
  readonly weight: Float32Array;
  /** [outputs] */
  readonly bias: Float32Array;
}

/** A convolution of each channel with its weights. */
export interface DepthwiseLayer extends DepthwiseShape {
  /** [kernel, kernel, channels] */
  readonly weight: Float32Array;
  /** [channels] */
  readonly bias: Float32Array;
}

/** An inverted residual with its weights. */
export interface VisionBlock extends BlockShape {
  readonly expand: Pointwise | undefined;
  readonly depthwise: DepthwiseLayer;
  readonly project: Pointwise;
}

/** The whole network. */
export interface VisionNetwork extends VisionShape {
  readonly stem: Pointwise;
  readonly blocks: readonly VisionBlock[];
  readonly head: Pointwise;
}

/** Numbers of a patch: three colours of 3 × 3 pixels, and one that is zero for the kernels' fours. */
export const PATCH = 28;

/** What there may be in such a graph; with Mul only where a stored weight is scaled. */
const operators = new Set(
  'Add Cast Clip Concat Constant ConstantOfShape Conv Flatten Mul Pad Reshape Shape Slice Squeeze Transpose Unsqueeze'.split(
    ' ',
  ),
);

/** A convolution's node with its sizes. */
interface Convolution {
  readonly node: OnnxNode;
  readonly shape: readonly [outputs: number, inputs: number, kernel: number];
  readonly data: Float32Array;
  readonly bias: Float32Array;
  readonly stride: number;
  readonly depthwise: boolean;
  readonly clipped: boolean;
}

/**
 * The network in a graph; undefined if it is another kind of network, which onnxruntime runs.
 * @throws NarvlError 'invalid-model' if it is one whose weights are damaged.
 */
export function readVision(
  graph: OnnxGraph,
  { image, features }: Pick<Manifest, 'image' | 'features'>,
): VisionNetwork | undefined {
  const { nodes } = graph;
  const foreign = nodes.some(
    ({ operator, inputs }) =>
      !operators.has(operator) ||
      (operator === 'Mul' && !inputs.some((name) => name.endsWith('.scale'))),
  );
  if (foreign) return undefined;
  const readers = new Map<string, OnnxNode[]>();
  for (const node of nodes) {
    for (const input of node.inputs) readers.set(input, [...(readers.get(input) ?? []), node]);
  }
  const readersOf = ({ outputs: [output = ''] }: OnnxNode) => readers.get(output) ?? [];
  const padded = new Set(nodes.flatMap((n) => (n.operator === 'Pad' ? n.outputs : [])));

  const layers: Convolution[] = [];
  for (const node of nodes) {
    if (node.operator !== 'Conv') continue;
    const [input = '', weightName = '', biasName = ''] = node.inputs;
    const weight = graph.weight(weightName);
    const bias = graph.weight(biasName);
    const [outputs = 0, inputs = 0, kernel = 0, width = 0] = weight?.shape ?? [];
    const [stride = 0, across = 0] = node.attributes.get('strides') ?? [];
    const [group = 1] = node.attributes.get('group') ?? [];
    const pads = node.attributes.get('pads') ?? [];
    const same =
      stride === 1
        ? pads.every((pad) => pad === (kernel - 1) / 2)
        : stride === 2 && padded.has(input) && pads.every((pad) => pad === 0);
    const depthwise = group > 1;
    const whole = depthwise ? group === outputs && inputs === 1 : group === 1;
    if (!weight || !bias || kernel !== width || stride !== across || !same || !whole)
      return undefined;
    // What is not finite has spoilt everything by the time it is noticed.
    if (!weight.data.every(Number.isFinite) || bias.data.length !== outputs) {
      throw new NarvlError('invalid-model', `vision.onnx: ${weightName}: expected finite numbers`);
    }
    const shape = [outputs, inputs, kernel] as const;
    const clipped = readersOf(node).some(({ operator }) => operator === 'Clip');
    layers.push({
      node,
      shape,
      data: weight.data,
      bias: bias.data,
      stride,
      depthwise,
      clipped,
    });
  }

  const stem = layers.shift();
  const head = layers.pop();
  if (!stem || !head || !isStem(stem) || !isPointwise(head) || !head.clipped) return undefined;
  const blocks: VisionBlock[] = [];
  while (layers.length > 0) {
    const expand = layers[0]?.depthwise ? undefined : layers.shift();
    const depthwise = layers.shift();
    const project = layers.shift();
    if (!depthwise?.depthwise || !depthwise.clipped) return undefined;
    if (expand && !(isPointwise(expand) && expand.clipped)) return undefined;
    if (!project || !isPointwise(project) || project.clipped) return undefined;
    // What the next block adds to its own output is read by its first convolution too.
    const residual = readersOf(project.node).every(({ operator }) => operator === 'Add');
    blocks.push({
      expand: expand && pointwise(expand),
      depthwise: depthwiseLayer(depthwise),
      project: pointwise(project),
      residual,
    });
  }
  const fine = blocks.findLastIndex(({ depthwise: { stride } }) => stride === 2) - 1;
  const network = { stem: stemOf(stem), blocks, fine, head: pointwise(head) };
  if (fine < 0 || !fits(network)) return undefined;
  // Both scales meet on the grid of the manifest.
  const sides = sidesOf(network, image.size);
  const [cells = 0] = sides.slice(-1);
  const width = network.head.outputs + 4 * (blocks[fine]?.project.outputs ?? 0);
  const meet = sides[fine] === 2 * cells && cells ** 2 === features.rows;
  return meet && width === features.width ? network : undefined;
}

/** Pixels of an image's side behind each block, for images of `size` pixels a side. */
export function sidesOf({ blocks }: Pick<VisionShape, 'blocks'>, size: number): number[] {
  let side = Math.ceil(size / 2);
  return blocks.map(({ depthwise: { stride } }) => {
    side = Math.ceil(side / stride);
    return side;
  });
}

/** Whether each layer takes what the one before gives, in fours. */
function fits({ stem, blocks, head }: VisionNetwork): boolean {
  let channels = stem.outputs;
  for (const { expand, depthwise, project, residual } of blocks) {
    const inside = expand?.outputs ?? channels;
    if (expand && expand.inputs !== channels) return false;
    if (depthwise.channels !== inside || project.inputs !== inside) return false;
    if (residual && project.outputs !== channels) return false;
    if (inside % 4 !== 0 || project.outputs % 4 !== 0) return false;
    channels = project.outputs;
  }
  return head.inputs === channels && stem.outputs % 4 === 0 && head.outputs % 4 === 0;
}

function isStem({ shape: [, inputs, kernel], stride, depthwise, clipped }: Convolution): boolean {
  return inputs === 3 && kernel === 3 && stride === 2 && !depthwise && clipped;
}

function isPointwise({ shape: [, , kernel], stride, depthwise }: Convolution): boolean {
  return kernel === 1 && stride === 1 && !depthwise;
}

/** From [rows, columns] to [columns, rows]. */
function transposed(data: Float32Array, columns: number): Float32Array {
  const rows = data.length / columns;
  const turned = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      turned[column * rows + row] = data[row * columns + column] ?? 0;
    }
  }
  return turned;
}

/** From [outputs, inputs, 1, 1] to [inputs, outputs]. */
function pointwise({ shape: [outputs, inputs], data, bias }: Convolution): Pointwise {
  return { inputs, outputs, weight: transposed(data, inputs), bias };
}

/** From [channels, 1, kernel, kernel] to [kernel, kernel, channels]. */
function depthwiseLayer({
  shape: [channels, , kernel],
  data,
  bias,
  stride,
}: Convolution): DepthwiseLayer {
  return { channels, kernel, stride, weight: transposed(data, kernel ** 2), bias };
}

/** From [outputs, 3, 3, 3], colours before pixels, to [PATCH, outputs], colours last. */
function stemOf({ shape: [outputs], data, bias }: Convolution): Pointwise {
  const weight = new Float32Array(PATCH * outputs);
  for (let i = 0; i < data.length; i++) {
    const [output, colour, pixel] = [Math.floor(i / 27), Math.floor(i / 9) % 3, i % 9];
    weight[(pixel * 3 + colour) * outputs + output] = data[i] ?? 0;
  }
  return { inputs: PATCH, outputs, weight, bias };
}
