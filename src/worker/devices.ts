/** Which device each half of the network runs on, and the decoder that runs there. */
import * as v from 'valibot';
import { Encoder } from '../encoder/encoder.ts';
import { NarvlError } from '../errors.ts';
import { GpuDecoder } from '../gpu/decoder.ts';
import { type Gpu, requestGpu } from '../gpu/device.ts';
import {
  compileNetwork,
  GpuNetwork,
  type PreparedNetwork,
  prepareNetwork,
} from '../gpu/network.ts';
import { usualTiling } from '../gpu/tiling.ts';
import { ArrivingWeights } from '../model/arriving-weights.ts';
import type { ModelDownload } from '../model/files.ts';
import { during } from '../model/load-stages.ts';
import type { Manifest } from '../model/manifest.ts';
import { type Needs, unfit } from '../model/needs.ts';
import type { Network } from '../model/network.ts';
import { promisedShape } from '../model/network-shape.ts';
import type { DecoderDevice, Device, DeviceChoice } from '../protocol.ts';
import { ReferenceDecoder } from '../reference/decoder.ts';
import { WasmDecoder } from '../wasm/decoder.ts';
import { tunedDecoder } from './tuned-decoder.ts';
import { tuneThreads } from './tuned-threads.ts';

/** Whichever of them runs, its decodings are the same to rounding. */
export type Decoder = GpuDecoder | WasmDecoder | ReferenceDecoder;

const choices = v.strictObject({
  encoder: v.optional(v.picklist(['webgpu', 'wasm'])),
  decoder: v.optional(v.picklist(['webgpu', 'wasm', 'reference'])),
  weightBits: v.optional(v.picklist([32, 16, 8])),
  tune: v.optional(v.boolean()),
});

/** The GPU that a model is to run on, or why it runs on none though there may be one. */
export interface Chosen {
  readonly gpu: Gpu | undefined;
  readonly fallback: string | undefined;
}

/**
 * The GPU, if the model fits it. Where it does not, and nobody asked for a GPU by name, there is none.
 * @throws NarvlError `out-of-memory` with the numbers if somebody did.
 */
export function fitting(
  gpu: Gpu | undefined,
  { encoder, decoder }: DeviceChoice,
  needs: Needs,
  fallback: string | undefined,
): Chosen {
  const reason = gpu && unfit(needs, gpu.device.limits);
  if (!gpu || !reason) return { gpu, fallback };
  gpu.device.destroy();
  if (encoder === 'webgpu' || decoder === 'webgpu') throw new NarvlError('out-of-memory', reason);
  return { gpu: undefined, fallback: reason };
}

/** @throws NarvlError `invalid-argument` that says what of a caller's choice there is not. */
export function readChoice(choice: unknown): DeviceChoice {
  const read = v.safeParse(choices, choice);
  if (read.success) return read.output;
  const [issue] = read.issues;
  const at = ['device', v.getDotPath(issue)].filter(Boolean).join('.');
  throw new NarvlError(
    'invalid-argument',
    `${at}: expected ${issue.expected}, got ${issue.received}`,
  );
}

/** The same choice where the GPU has been given up. */
export function withoutGpu({ encoder, decoder }: DeviceChoice): DeviceChoice {
  return {
    encoder: encoder === 'webgpu' ? undefined : encoder,
    decoder: decoder === 'webgpu' ? undefined : decoder,
  };
}

/** A GPU, unless there is none or the choice leaves nothing for it to do. */
export async function chooseGpu({ encoder, decoder }: DeviceChoice): Promise<Gpu | undefined> {
  if (encoder === 'wasm' && decoder && decoder !== 'webgpu') return undefined;
  return requestGpu(navigator.gpu).catch((error: unknown) => {
    if (encoder === 'webgpu' || decoder === 'webgpu') throw error;
    return undefined;
  });
}

/**
 * WebGPU for both halves on a real adapter. On a software adapter the encoder's convolutions are
 * far slower than in WebAssembly, so the encoder goes there and the decoder stays in WGSL. Without
 * WebGPU both are WebAssembly's.
 */
export function chooseDevice(
  choice: DeviceChoice,
  gpu: Gpu | undefined,
  { files }: Manifest,
): Omit<Device, 'weightBits' | 'productBits'> {
  const encoder = choice.encoder ?? (gpu && !gpu.adapter.software ? 'webgpu' : 'wasm');
  const onCpu = files['decoder.onnx'] ? 'wasm' : 'reference';
  const decoder = choice.decoder ?? (gpu ? 'webgpu' : onCpu);
  const { vendor = '', architecture = '', description = '' } = gpu?.adapter ?? {};
  const adapter = description || [vendor, architecture].filter(Boolean).join(' ');
  return { encoder, decoder, adapter };
}

/**
 * Vision and fusion for our own kernels, which are to run them where they run the decoder; undefined
 * if that is elsewhere, or if they do not know the model's kind.
 *
 * @throws NarvlError as `readNetwork` does, and what keeps the files from coming.
 */
export async function readOwnNetwork(
  { encoder, decoder }: Pick<Device, 'encoder' | 'decoder'>,
  { manifest, files }: Pick<ModelDownload, 'manifest' | 'files'>,
): Promise<Network | undefined> {
  if (encoder !== 'webgpu' || decoder !== 'webgpu') return undefined;
  // Only here are weights read out of graphs.
  const { readNetwork } = await import('../model/network.ts');
  const [vision, fusion] = [await files['vision.onnx'], await files['fusion.onnx']];
  return during('read', () => readNetwork(manifest, vision, fusion));
}

/**
 * What stands before the decoder: our own kernels if they have a network to run, so that onnxruntime is
 * not even fetched; else onnxruntime's.
 *
 * @param onStep told now and then where that takes long
 * @throws NarvlError as `Encoder.create` and `prepareNetwork` do, and what `own` rejects with.
 */
export async function openEncoder(
  { encoder, decoder }: Pick<Device, 'encoder' | 'decoder'>,
  { weightBits, tune = true }: DeviceChoice,
  gpu: Gpu | undefined,
  { manifest, files }: Pick<ModelDownload, 'manifest' | 'files'>,
  own: Promise<Network | undefined>,
  onStep: () => void,
): Promise<PreparedNetwork | Encoder> {
  const device = gpu && encoder === 'webgpu' ? gpu.device : undefined;
  if (device && decoder === 'webgpu') {
    const tiling = usualTiling(device, weightBits);
    const promised = promisedShape(manifest);
    const ahead = promised && compileNetwork(device, manifest, promised, tiling);
    const network = await own;
    if (network) return prepareNetwork(device, manifest, network, tiling, ahead);
  }
  const { 'vision.onnx': vision, 'fusion.onnx': fusion } = files;
  if (!device && tune) await tuneThreads(manifest, vision, onStep);
  return Encoder.create(manifest, vision, fusion, device ?? 'wasm');
}

/**
 * @param encoder is waited for where the same runtime is to run the decoder.
 * @param own what leaves its last norm to the decoder, if there is such a network
 */
export async function openDecoder(
  where: DecoderDevice,
  choice: DeviceChoice,
  gpu: Gpu | undefined,
  { manifest, weights, files }: Omit<ModelDownload, 'all'>,
  encoder: Promise<unknown>,
  own: Promise<Network | undefined>,
): Promise<Decoder> {
  if (where === 'wasm') {
    const graph = files['decoder.onnx'];
    if (!graph) {
      throw new NarvlError(
        'invalid-argument',
        "decoder: expected 'webgpu' or 'reference', got 'wasm', for which this model has no decoder.onnx",
      );
    }
    await Promise.all([encoder, weights.cancel()]);
    return WasmDecoder.create(manifest.decoder, await graph, await files['decoder.safetensors']);
  }
  const { bytes } = manifest.files['decoder.safetensors'];
  const arriving = new ArrivingWeights(weights, bytes);
  const memoryNorm = own.then((network) => network?.fusion.norm);
  return gpu && where === 'webgpu'
    ? tunedDecoder(gpu, manifest, arriving, choice, encoder, memoryNorm)
    : new ReferenceDecoder(manifest.decoder, await arriving.all);
}

/** What stands before the decoder, joined to it where it is ours. */
export function withDecoder(
  before: PreparedNetwork | Encoder,
  decoder: Decoder,
): GpuNetwork | Encoder {
  if (before instanceof Encoder) return before;
  if (decoder instanceof GpuDecoder) return new GpuNetwork(before, decoder);
  throw new NarvlError('worker-failed', 'The decoder is not where vision and fusion are');
}

export function bitsOf(decoder: Decoder): Pick<Device, 'weightBits' | 'productBits'> {
  return decoder instanceof GpuDecoder ? decoder.bits : { weightBits: 32, productBits: 32 };
}
