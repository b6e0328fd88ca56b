/** The shipped model's phrase map: its boxes are the same on every device, and who does not point pays nothing for it. */
import { beforeAll, describe, expect, it } from 'vitest';
import { onlyTask } from '../../src/model/manifest.ts';
import type { Ask, Located, WireImage } from '../../src/protocol.ts';
import type { Pipeline } from '../../src/worker/pipeline.ts';
import { fetchManifest, openChanged } from './changed-model.ts';
import { jpeg } from './images.ts';

const { signal } = new AbortController();
const PHRASES = ['the dog on the left', 'two people'];

/** Encoder and decoder: our kernels whole, and onnxruntime's fusion before either kind of decoder. */
const DEVICES = [
  ['webgpu', 'webgpu'],
  ['wasm', 'webgpu'],
  ['wasm', 'wasm'],
] as const;

let mapped: Pipeline[];
/** Of a manifest that knows of no map, by onnxruntime's fusion, whose work is in no `cost`. */
let plain: Pipeline;
let images: WireImage[];
let bins: { readonly count: number; readonly stride: number };
let cells: number;

beforeAll(async () => {
  const { tasks, network, features } = await fetchManifest();
  const { prompt, queries, bins: own, kind } = onlyTask({ tasks }, 'locate') ?? {};
  if (!own?.map || !network) throw new Error('expected the shipped model to have a phrase map');
  bins = { count: own.count, stride: own.map.stride };
  cells = features.rows;
  mapped = [];
  for (const [encoder, decoder] of DEVICES) {
    mapped.push(await openChanged({}, decoder, encoder));
  }
  const { first, count, spread } = own;
  const { places, ...fusion } = network.fusion;
  expect(places).toBeGreaterThan(0);
  const locate = { kind, prompt, queries, bins: { first, count, spread } };
  plain = await openChanged(
    { tasks: { ...tasks, locate }, network: { ...network, fusion } },
    'webgpu',
  );
  const blobs = await Promise.all([jpeg(320, 200, 2), jpeg(100, 400, 3)]);
  images = blobs.map((blob) => ({ kind: 'blob', blob }));
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
    /** What is done before the decoder. */
    const costOf = async (what: Ask) => {
      const [[whole], [decoder]] = [
        await ask(mapped[0], images, what),
        await ask(plain, images, what),
      ];
      if (!whole || !decoder) throw new Error('expected replies');
      expect(whole.cost.submits).toBe(1);
      return {
        dispatches: whole.cost.dispatches - decoder.cost.dispatches,
        bytes: whole.cost.bytesRead - decoder.cost.bytesRead,
      };
    };
    const caption = await costOf({ kind: 'caption' });
    expect(await costOf({ kind: 'answer', question: 'what is there?' })).toEqual(caption);
    expect(await costOf({ kind: 'entail', statement: 'a dog runs' })).toEqual(caption);
    expect(await costOf({ kind: 'locate', phrase: 'the dog' })).toEqual({
      dispatches: caption.dispatches + 2,
      bytes: caption.bytes + 4 * cells * images.length,
    });
  });
});
