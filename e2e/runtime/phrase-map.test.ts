/**
 * The shipped model with a phrase map of random weights: what its boxes are means little, but they are the same on
 * every device, and who does not point pays nothing for the map.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { loadModelFiles } from '../../src/model/files.ts';
import { onlyTask } from '../../src/model/manifest.ts';
import { sha256 } from '../../src/model/sha256.ts';
import type { Ask, Located, WireImage } from '../../src/protocol.ts';
import { withMappedTask, withPhraseMap } from '../../src/testing/mapped-graph.ts';
import type { Pipeline } from '../../src/worker/pipeline.ts';
import { openChanged } from './changed-model.ts';
import { jpeg } from './images.ts';

const { signal } = new AbortController();
const PHRASES = ['the dog on the left', 'two people'];
const CELLS = 49;

/** Encoder and decoder: our kernels whole, and onnxruntime's fusion before either kind of decoder. */
const DEVICES = [
  ['webgpu', 'webgpu'],
  ['wasm', 'webgpu'],
  ['wasm', 'wasm'],
] as const;

let mapped: Pipeline[];
let plain: Pipeline;
let images: WireImage[];
let bins: { readonly count: number; readonly stride: number };

beforeAll(async () => {
  const url = new URL('/models/narvl-photo/', location.href).href;
  const shipped = await loadModelFiles(url, () => {});
  const manifest = withMappedTask(shipped.manifest);
  const graph = withPhraseMap(shipped.files['fusion.onnx'], manifest);
  const files = {
    ...manifest.files,
    'fusion.onnx': { bytes: graph.byteLength, sha256: await sha256(graph) },
  };
  mapped = [];
  for (const [encoder, decoder] of DEVICES) {
    const other = { encoder, files: { 'fusion.onnx': graph } };
    mapped.push(await openChanged({ ...manifest, files }, decoder, other));
  }
  plain = await openChanged({}, 'webgpu', { encoder: 'webgpu' });
  const blobs = await Promise.all([jpeg(320, 200, 2), jpeg(100, 400, 3)]);
  images = blobs.map((blob) => ({ kind: 'blob', blob }));
  const { count = 0, map } = onlyTask(manifest, 'locate')?.bins ?? {};
  bins = { count, stride: map?.stride ?? 0 };
});

async function ask(model: Pipeline | undefined, of: readonly WireImage[], what: Ask) {
  const replies = (await model?.askImages({ images: of, ask: what }, signal)) ?? [];
  return replies.map((reply) => {
    if (!reply.ok) throw reply.error;
    return reply.value;
  });
}

const locate = async (model: Pipeline | undefined, of: readonly WireImage[], phrase: string) =>
  (await ask(model, of, { kind: 'locate', phrase })) as Located[];

/** What was found, without what it took. */
const box = ({ edges, logProb, confidence }: Located) => ({
  edges,
  logProb: expect.closeTo(logProb, 2),
  confidence: expect.closeTo(confidence, 3),
});

describe('a model with a phrase map', () => {
  it.each(PHRASES)('points the same way on every device: %s', async (phrase) => {
    const [first, ...others] = mapped;
    const found = await locate(first, images, phrase);
    for (const other of others) {
      expect(await locate(other, images, phrase)).toMatchObject(found.map(box));
    }
    for (const [i, image] of images.entries()) {
      expect(await locate(first, [image], phrase)).toMatchObject(found.slice(i, i + 1).map(box));
    }
    // The first photo is looked at as a whole: its edges are those that are tried.
    for (const edge of found[0]?.edges ?? []) {
      const bin = Math.round(edge * bins.count - 0.5);
      expect(edge).toBeCloseTo((bin + 0.5) / bins.count, 9);
      expect(bin % bins.stride === 0 || bin === bins.count - 1).toBe(true);
    }
    // Without the map they are others, and no box is likelier by its tokens alone.
    const alone = await locate(plain, images, phrase);
    expect(found.map(({ edges }) => edges)).not.toEqual(alone.map(({ edges }) => edges));
    for (const [i, { logProb }] of found.entries()) {
      expect(logProb).toBeLessThanOrEqual((alone[i]?.logProb ?? 0) + 1e-3);
    }
  });

  it('points in a look as in its image', async () => {
    const [model] = mapped;
    const [image] = images;
    if (!model || !image) throw new Error('expected a model and an image');
    await model.look({ image, look: 1 }, signal);
    for (const phrase of PHRASES) {
      const [alone] = await locate(model, [image], phrase);
      const request = { look: 1, ask: { kind: 'locate', phrase } } as const;
      expect(await model.askLook(request, signal)).toMatchObject(alone ? box(alone) : {});
    }
    model.forget(1);
  });

  it('takes two dispatches and four bytes a cell more to point, and nothing else', async () => {
    const asks: Ask[] = [
      { kind: 'caption' },
      { kind: 'answer', question: 'what is there?' },
      { kind: 'entail', statement: 'a dog runs' },
      { kind: 'locate', phrase: 'the dog' },
    ];
    for (const what of asks) {
      const [[with_], [without]] = [
        await ask(mapped[0], images, what),
        await ask(plain, images, what),
      ];
      if (!with_ || !without) throw new Error('expected replies');
      const { dispatches, submits, bytesRead } = without.cost;
      const points = what.kind === 'locate';
      expect(with_.cost).toEqual({
        dispatches: dispatches + (points ? 2 : 0),
        submits,
        bytesRead: bytesRead + (points ? 4 * CELLS * images.length : 0),
      });
    }
  });
});
