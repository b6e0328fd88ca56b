/**
 * The GPU's decoder, with its kernels cut as they run fastest there: measured on the first visit,
 * remembered for the next ones.
 */
import { NarvlError } from '../errors.ts';
import { GpuDecoder } from '../gpu/decoder.ts';
import type { Gpu } from '../gpu/device.ts';
import type { NormWeights } from '../gpu/fold.ts';
import { usualTiling } from '../gpu/tiling.ts';
import { fastestDecoder, variants } from '../gpu/tune.ts';
import type { ArrivingWeights } from '../model/arriving-weights.ts';
import { during } from '../model/load-stages.ts';
import { findCaptionTask, type Manifest } from '../model/manifest.ts';
import type { DeviceChoice } from '../protocol.ts';
import { openTuning } from './tunings.ts';

/** Every shader's text by its file. */
const shaders = import.meta.glob<string>('../shaders/**/*.wgsl', {
  query: '?raw',
  import: 'default',
  eager: true,
});

/**
 * @param encoder is waited for where something is measured: it is built by the same thread
 * @param memoryNorm as `GpuDecoder.create` takes it
 * @throws NarvlError `invalid-argument` for what `choice` cannot mean, and as GpuDecoder.create.
 */
export async function tunedDecoder(
  { device, adapter }: Gpu,
  manifest: Manifest,
  weights: ArrivingWeights,
  { weightBits, tune = weightBits === undefined && !adapter.software }: DeviceChoice,
  encoder: Promise<unknown>,
  memoryNorm: Promise<NormWeights | undefined>,
): Promise<GpuDecoder> {
  if (tune && weightBits !== undefined) {
    throw new NarvlError('invalid-argument', 'device.tune: expected no weightBits beside it');
  }
  const { decoder: shape } = manifest;
  if (!tune) {
    return GpuDecoder.create(device, shape, weights, usualTiling(device, weightBits), memoryNorm);
  }
  const features = [...device.features].sort();
  const tuning = await openTuning(adapter, shape, features, shaders, [...variants]);
  const known = variants.get(tuning.known ?? '');
  if (known) return GpuDecoder.create(device, shape, weights, known, memoryNorm);
  await encoder;
  const { queries } = findCaptionTask(manifest, undefined);
  const norm = await memoryNorm;
  const { name, decoder } = await during('tune', () =>
    fastestDecoder(device, shape, weights, queries, variants, norm),
  );
  await tuning.keep(name);
  return decoder;
}
