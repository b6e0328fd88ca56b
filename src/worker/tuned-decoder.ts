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
import { sha256 } from '../model/sha256.ts';
import type { DeviceChoice } from '../protocol.ts';

/** Every shader's text by its file. */
const shaders = import.meta.glob<string>('../shaders/**/*.wgsl', {
  query: '?raw',
  import: 'default',
  eager: true,
});

const CACHE = 'narvl-tunings';

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
  const address = await addressOf(adapter, shape, [...device.features].sort());
  const cache = await globalThis.caches?.open(CACHE).catch(() => undefined);
  const kept = await cache?.match(address).catch(() => undefined);
  const known = variants.get((await kept?.text().catch(() => '')) ?? '');
  if (known) return GpuDecoder.create(device, shape, weights, known, memoryNorm);
  await encoder;
  const { queries } = findCaptionTask(manifest, undefined);
  const norm = await memoryNorm;
  const { name, decoder } = await during('tune', () =>
    fastestDecoder(device, shape, weights, queries, variants, norm),
  );
  // Without a cache the next visit measures again.
  await cache?.put(address, new Response(name)).catch(() => undefined);
  return decoder;
}

/** Of everything that the fastest cut depends on, as a cache wants it. */
async function addressOf(...of: unknown[]): Promise<URL> {
  const text = JSON.stringify([...of, navigator.userAgent, shaders, [...variants]]);
  const hash = await sha256(new TextEncoder().encode(text));
  return new URL(`?tuning=${hash}`, globalThis.location.href);
}
