/** The shipped model's decoder, from its files. */
import { answerTask, captionTasks, type Manifest } from '../src/model/manifest.ts';
import { parseSafetensors } from '../src/model/safetensors.ts';
import type { Size } from './sizes.ts';

/** @param weights decoder.safetensors */
export function shippedSize(manifest: Manifest, weights: ArrayBuffer): Size {
  const [caption] = captionTasks(manifest).values();
  return {
    name: manifest.name,
    shape: manifest.decoder,
    weights: parseSafetensors(weights),
    captionSlots: caption?.queries.count ?? manifest.decoder.queries,
    answerSlots: answerTask(manifest)?.queries.count ?? 0,
  };
}
