/** The shipped model, from its files. */
import { labelCandidates } from '../src/decode/entailment.ts';
import { locationTokens, type Pointing } from '../src/decode/location.ts';
import { Searches } from '../src/decode/search.ts';
import type { NetworkManifest, NetworkPrompt } from '../src/gpu/network.ts';
import type { ModelFiles } from '../src/model/files.ts';
import {
  findCaptionTask,
  type Manifest,
  type OnlyTask,
  onlyTask,
  wordCount,
} from '../src/model/manifest.ts';
import type { Network } from '../src/model/network.ts';
import { parseSafetensors } from '../src/model/safetensors.ts';
import { Tokenizer } from '../src/model/tokenizer.ts';
import type { Size } from './sizes.ts';

/** What stands before a decoder. */
export interface Before {
  readonly manifest: NetworkManifest;
  /** Undefined if our kernels do not know its kind. */
  network(): Promise<Network | undefined>;
  /** Of a caption. */
  prompt(): NetworkPrompt;
}

/** Its decoder, and what stands before it. */
export interface Shipped extends Size {
  readonly before: Before;
  /** For other runtimes. */
  readonly model: ModelFiles;
}

export function shippedSize(model: ModelFiles): Shipped {
  const { manifest, files } = model;
  const caption = findCaptionTask(manifest, undefined);
  const tokenizer = new Tokenizer(files['tokenizer.json'], wordCount(manifest));
  const [points, judges] = [onlyTask(manifest, 'locate'), onlyTask(manifest, 'entail')];
  return {
    name: manifest.name,
    shape: manifest.decoder,
    weights: parseSafetensors(files['decoder.safetensors']),
    captions: caption.queries,
    answers: onlyTask(manifest, 'answer')?.queries,
    boxes: points && {
      queries: points.queries,
      tokens: locationTokens(points.bins),
      how: pointing(manifest, points.bins),
    },
    verdicts: judges && {
      queries: judges.queries,
      labels: labelCandidates(judges.labels, tokenizer).tokens,
    },
    ...(files['decoder.onnx']
      ? { fallback: { graph: files['decoder.onnx'], weights: files['decoder.safetensors'] } }
      : {}),
    before: {
      manifest,
      // Only here are weights read out of graphs: the demo's race, which has this file too, does not.
      network: async () => {
        const { readNetwork } = await import('../src/model/network.ts');
        return readNetwork(manifest, files['vision.onnx'], files['fusion.onnx']);
      },
      prompt: () => {
        const { length, pad } = manifest.prompt;
        return tokenizer.encodePrompt(caption.prompt, length, pad);
      },
    },
    search: new Searches(model, (id) => tokenizer.begins(id)).choose(caption.beam, {}),
    model,
  };
}

/** How it reads a box. A phrase map says nothing here, which takes as long as if it did. */
function pointing(
  { features: { grid, rows } }: Manifest,
  { spread, map }: OnlyTask<'locate'>['bins'],
): Omit<Pointing, 'curve'> {
  const places = new Float32Array(rows);
  return { spread, map: map && grid && { ...map, grid, places } };
}
