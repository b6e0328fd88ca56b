/** The shipped model, from its files. */
import { Searches } from '../src/decode/search.ts';
import type { ModelFiles } from '../src/model/files.ts';
import { findCaptionTask, onlyTask, wordCount } from '../src/model/manifest.ts';
import { parseSafetensors } from '../src/model/safetensors.ts';
import { Tokenizer } from '../src/model/tokenizer.ts';
import type { Size } from './sizes.ts';

/** Its decoder, and what stands before it. */
export interface Shipped extends Size {
  readonly model: ModelFiles;
}

export function shippedSize(model: ModelFiles): Shipped {
  const { manifest, files } = model;
  const caption = findCaptionTask(manifest, undefined);
  const tokenizer = new Tokenizer(files['tokenizer.json'], wordCount(manifest));
  return {
    name: manifest.name,
    shape: manifest.decoder,
    weights: parseSafetensors(files['decoder.safetensors']),
    captions: caption.queries,
    answers: onlyTask(manifest, 'answer')?.queries,
    ...(files['decoder.onnx']
      ? { fallback: { graph: files['decoder.onnx'], weights: files['decoder.safetensors'] } }
      : {}),
    search: new Searches(model, (id) => tokenizer.begins(id)).choose(caption.beam, {}),
    model,
  };
}
