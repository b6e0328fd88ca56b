/** How kernels are cut into workgroups, which depends on the kind of device and nothing else. */

/** Values for the kernels' tile overrides. */
export interface Tiling {
  /** linear.wgsl: lanes across columns, and across inputs. */
  readonly columnLanes: number;
  readonly slices: number;
  /** attention.wgsl: queries of a workgroup; a power of two up to 64. */
  readonly queryRows: number;
  /** vocabulary.wgsl: columns of a workgroup; 256, 512 or 768. */
  readonly tileColumns: number;
}

/** For GPUs: many small workgroups with short loops, because a batch of one leaves a GPU idle. */
export const hardwareTiling: Tiling = {
  columnLanes: 16,
  slices: 4,
  queryRows: 4,
  tileColumns: 256,
};

/**
 * For adapters that run on the CPU: as few barriers as possible. SwiftShader runs a workgroup that
 * has one as coroutines, which costs about 0.3 ms a workgroup, as much as 200,000 multiplications.
 */
export const softwareTiling: Tiling = {
  columnLanes: 64,
  slices: 1,
  queryRows: 32,
  tileColumns: 768,
};

/** The tiling for a device. */
export function tilingFor(device: GPUDevice): Tiling {
  return device.adapterInfo.isFallbackAdapter ? softwareTiling : hardwareTiling;
}
