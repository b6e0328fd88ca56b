/** The shipped model, from its files. */
import type { ModelFiles } from '../src/model/files.ts';
import { answerTask, captionTasks, type Manifest } from '../src/model/manifest.ts';
import { parseSafetensors } from '../src/model/safetensors.ts';
import type { Size } from './sizes.ts';

type Needed = 'decoder.safetensors' | 'vision.onnx' | 'fusion.onnx';

/** Its decoder, and what stands before it. */
export interface Shipped extends Size {
  readonly manifest: Manifest;
  readonly files: Pick<ModelFiles['files'], Needed>;
}

export function shippedSize(manifest: Manifest, files: Shipped['files']): Shipped {
  const [caption] = captionTasks(manifest).values();
  return {
    name: manifest.name,
    shape: manifest.decoder,
    weights: parseSafetensors(files['decoder.safetensors']),
    captionSlots: caption?.queries.count ?? manifest.decoder.queries,
    answerSlots: answerTask(manifest)?.queries.count ?? 0,
    manifest,
    files,
  };
}
