/** Dispatches: compiling what they run, binding what they read and write, encoding them. */
import { during } from '../model/load-stages.ts';

/** What a dispatch cannot do without, by its sizes: what a cost model and a profiler count. */
export interface Work {
  /** On numbers; a multiplication with an addition is two. */
  readonly operations: number;
  /** Numbers of four bytes that are read or written, each counted once. */
  readonly numbers: number;
}

/** A pipeline with its buffers and its number of workgroups. */
export interface Step {
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  readonly workgroups: readonly [x: number, y: number, z: number];
  readonly work: Work;
}

/**
 * Compiles a kernel's `main`.
 *
 * @param constants values for the kernel's overrides; false is 0 and true 1
 */
export async function compile(
  device: GPUDevice,
  label: string,
  code: string,
  constants: Readonly<Record<string, number | boolean>>,
): Promise<GPUComputePipeline> {
  return during('compile', () =>
    device.createComputePipelineAsync({
      label,
      layout: 'auto',
      compute: {
        module: device.createShaderModule({ label, code }),
        entryPoint: 'main',
        constants: Object.fromEntries(
          Object.entries(constants).map(([name, value]) => [name, Number(value)]),
        ),
      },
    }),
  );
}

/** A buffer, or a part of one. */
export type Binding = GPUBuffer | GPUBufferBinding;

/** A step whose bindings 0, 1, … of group 0 are the given buffers. */
export function bind(
  device: GPUDevice,
  pipeline: GPUComputePipeline,
  buffers: readonly Binding[],
  workgroups: Step['workgroups'],
  work: Work,
): Step {
  const bindGroup = device.createBindGroup({
    label: pipeline.label,
    layout: pipeline.getBindGroupLayout(0),
    entries: buffers.map((buffer, binding) => ({
      binding,
      resource: 'buffer' in buffer ? buffer : { buffer },
    })),
  });
  return { pipeline, bindGroup, workgroups, work };
}

/** Encodes steps, in order, as a compute pass of their own. */
export function encodeSteps(encoder: GPUCommandEncoder, steps: readonly Step[]): void {
  const pass = encoder.beginComputePass();
  for (const { pipeline, bindGroup, workgroups } of steps) {
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(...workgroups);
  }
  pass.end();
}
