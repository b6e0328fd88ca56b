/** How kernels are cut into workgroups, and how many bits their weights have. */
import type { WeightBits } from '../model/decoder.ts';

/** Values for the kernels' tile overrides. */
export interface Tiling {
  /** Of the decoder's matrices on the GPU. */
  readonly weightBits: WeightBits;
  /** linear.wgsl and vocabulary.wgsl: bits of a product; 16 for weights of 16 and `shader-f16` alone. */
  readonly productBits: 32 | 16;
  /** The same: rows of a workgroup. */
  readonly tileRows: 1 | 4;
  /** linear.wgsl: lanes across columns, and across inputs. */
  readonly columnLanes: number;
  readonly slices: number;
  /** linear.wgsl: lanes across groups of `tileRows` rows. */
  readonly rowLanes: number;
  /** The kernels with barriers: lanes of a workgroup. */
  readonly lanes: number;
  /** attention.wgsl: lanes of a workgroup, and its queries: 4 times a power of two up to the lanes. */
  readonly attentionLanes: number;
  readonly queryRows: number;
  /** vocabulary.wgsl: columns of a workgroup; a multiple of 4·`lanes` up to 768. */
  readonly tileColumns: number;
  /** topk_merge.wgsl: whether lanes compare within their subgroup first; for `subgroups` alone. */
  readonly subgroups: boolean;
  /** ctc_score.wgsl: lanes that share the states of a text. */
  readonly scoreLanes: number;
}

/** For GPUs: many small workgroups with short loops, because a batch of one leaves a GPU idle. */
export const hardwareTiling: Tiling = {
  weightBits: 32,
  productBits: 32,
  tileRows: 4,
  columnLanes: 16,
  slices: 4,
  rowLanes: 1,
  lanes: 64,
  attentionLanes: 64,
  queryRows: 4,
  tileColumns: 256,
  subgroups: false,
  scoreLanes: 32,
};

/**
 * For adapters that run on the CPU: as few lanes as possible where there are barriers. SwiftShader
 * gives every four of them a stack of their own to switch between, which costs a workgroup of 64
 * lanes about 0.3 ms, as much as 200,000 multiplications.
 */
export const softwareTiling: Tiling = {
  weightBits: 32,
  productBits: 32,
  tileRows: 4,
  columnLanes: 64,
  slices: 1,
  rowLanes: 1,
  lanes: 8,
  attentionLanes: 4,
  queryRows: 8,
  tileColumns: 128,
  subgroups: false,
  scoreLanes: 4,
};

/** Lanes, each of four columns of four rows, that keep a GPU busy without any that share a sum. */
const ENOUGH_LANES = 1 << 14;

/**
 * The tiling of a product over so many rows: where there are enough of them to go round, a workgroup's
 * lanes take tiles that are about as high as wide, and no more lanes across than there are columns.
 */
export function tilingForRows(tiling: Tiling, rows: number, outputs: number): Tiling {
  const { columnLanes, slices, tileRows } = tiling;
  if (slices > 1 && (rows / tileRows) * (outputs / 4) < ENOUGH_LANES) return tiling;
  const across = Math.min(8, 2 ** Math.ceil(Math.log2(outputs / 4)));
  return { ...tiling, columnLanes: across, slices: 1, rowLanes: (columnLanes * slices) / across };
}

/** Whether the device has the features that a tiling takes. */
export function runsOn({ features }: GPUDevice, { productBits, subgroups }: Tiling): boolean {
  return (
    (productBits === 32 || features.has('shader-f16')) && (!subgroups || features.has('subgroups'))
  );
}

/** The tiling for a device. */
export function tilingFor(device: GPUDevice): Tiling {
  return device.adapterInfo.isFallbackAdapter ? softwareTiling : hardwareTiling;
}

/** The same, with weights of so many bits, if somebody chose. */
export function usualTiling(device: GPUDevice, weightBits: WeightBits | undefined): Tiling {
  const usual = tilingFor(device);
  return { ...usual, weightBits: weightBits ?? usual.weightBits };
}
