/** What stands before the decoder, as our own kernels run it, read off the graphs that onnxruntime runs too. */
import { type FusionNetwork, readFusion } from './fusion.ts';
import type { Manifest } from './manifest.ts';
import { readOnnx } from './onnx.ts';
import { readVision, type VisionNetwork } from './vision.ts';

/** Vision and fusion. */
export interface Network {
  readonly vision: VisionNetwork;
  readonly fusion: FusionNetwork;
}

/**
 * @param vision vision.onnx
 * @param fusion fusion.onnx
 * @returns undefined if one of them is of a kind that the kernels do not know
 * @throws NarvlError 'invalid-model' if a file is damaged.
 */
export function readNetwork(
  manifest: Manifest,
  vision: ArrayBuffer,
  fusion: ArrayBuffer,
): Network | undefined {
  const { features, prompt, names, decoder } = manifest;
  const rows = features.rows + (names ? names.count * names.length : 0) + prompt.length;
  if (rows !== decoder.memory) return undefined;
  const eyes = readVision(readOnnx(vision), manifest);
  const both = eyes && readFusion(readOnnx(fusion), manifest);
  return both && { vision: eyes, fusion: both };
}
