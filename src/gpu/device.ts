/** Asks for a GPU device that the decoder and the encoder's runtime can share. */
import { NarvlError } from '../errors.ts';

/** What is known of the adapter; browsers leave out what identifies a user. */
export interface AdapterDescription {
  readonly vendor: string;
  readonly architecture: string;
  readonly description: string;
  /** True if it runs on the CPU. */
  readonly software: boolean;
}

/** A device and what it runs on. */
export interface Gpu {
  readonly device: GPUDevice;
  readonly adapter: AdapterDescription;
  /** Resolves, never rejects, with a 'device-lost' error when the device goes away. */
  readonly lost: Promise<NarvlError>;
  /**
   * The first error since the last time that no call has caught, if there was one: what the device
   * computed since is not to be believed, and only a new device goes on. 'worker-failed'.
   */
  takeError(): NarvlError | undefined;
}

/** Raised to the adapter's: weights and batches are large, and onnxruntime counts on the rest. */
const limits = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
] as const;

/** Taken where there are: our kernels and onnxruntime's use the first two, a profiler the last. */
const features: readonly GPUFeatureName[] = ['shader-f16', 'subgroups', 'timestamp-query'];

/**
 * Asks for an adapter and its device.
 *
 * @param gpu `navigator.gpu`, undefined where there is none
 * @throws NarvlError 'webgpu-unavailable' if there is no adapter or it gives no device.
 */
export async function requestGpu(
  gpu: GPU | undefined,
  powerPreference: GPUPowerPreference = 'high-performance',
): Promise<Gpu> {
  const adapter = await gpu?.requestAdapter({ powerPreference });
  if (!adapter) {
    throw new NarvlError(
      'webgpu-unavailable',
      gpu ? 'WebGPU has no adapter here' : 'this browser has no WebGPU',
    );
  }
  const device = await adapter
    .requestDevice({
      label: 'narvl',
      requiredFeatures: features.filter((feature) => adapter.features.has(feature)),
      requiredLimits: Object.fromEntries(limits.map((limit) => [limit, adapter.limits[limit]])),
    })
    .catch((cause: unknown) => {
      throw new NarvlError('webgpu-unavailable', 'the adapter gave no device', { cause });
    });
  const { vendor, architecture, description, isFallbackAdapter } = adapter.info;
  let uncaught: NarvlError | undefined;
  device.addEventListener('uncapturederror', ({ error }) => {
    uncaught ??= new NarvlError('worker-failed', `the GPU refused its work: ${error.message}`);
  });
  return {
    device,
    adapter: { vendor, architecture, description, software: isFallbackAdapter },
    lost: device.lost.then(deviceLost),
    takeError() {
      const error = uncaught;
      uncaught = undefined;
      return error;
    },
  };
}

/** The error for a device that was lost. */
export function deviceLost({ reason, message }: GPUDeviceLostInfo): NarvlError {
  return new NarvlError('device-lost', `the GPU device was lost (${reason}): ${message}`);
}
