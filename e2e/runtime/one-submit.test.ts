/** Everything on the GPU: whatever is asked, one submit from pixels says what onnxruntime's encoder led to. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Caption, Narvl, NarvlError } from '../../src/index.ts';
import { jpeg, picture } from './images.ts';

const MODEL = '/models/narvl-photo/';

let ours: Narvl;
let theirs: Narvl;
beforeAll(async () => {
  ours = await Narvl.load(MODEL, { device: { encoder: 'webgpu', decoder: 'webgpu' } });
  theirs = await Narvl.load(MODEL, { device: { encoder: 'wasm', decoder: 'webgpu' } });
});
afterAll(() => {
  ours.dispose();
  theirs.dispose();
});

/** What a pass chose, without its probabilities, which depend on rounding. */
const chosen = ({ text, slots }: Caption) => ({ text, slots: slots.map(({ id }) => id) });

it('explains, searches and lists alternatives', async () => {
  const image = await jpeg(300, 200, 31);
  const wanted = { explain: true, posteriors: true, alternatives: 3 } as const;
  const [here, there] = [await ours.caption(image, wanted), await theirs.caption(image, wanted)];
  expect(chosen(here)).toEqual(chosen(there));
  expect(here.confidence).toBeCloseTo(there.confidence, 2);
  expect(here.posteriors?.tokens.map(([first]) => first)).toEqual(
    there.posteriors?.tokens.map(([first]) => first),
  );
  expect(here.alternatives?.length).toBe(there.alternatives?.length);
  const cells = here.attention?.tokens.flatMap((token) => [...token]) ?? [];
  expect(cells.length).toBeGreaterThan(0);
  for (const [at, cell] of (there.attention?.tokens.flatMap((t) => [...t]) ?? []).entries()) {
    expect(cells[at]).toBeCloseTo(cell, 2);
  }
  expect(here.cost.submits).toBe(1);
  // What one submit cannot tell apart is one figure; elsewhere there is none such.
  expect(here.timings).toMatchObject({ vision: 0, fusion: 0, decoder: 0 });
  expect(here.timings.network).toBeGreaterThan(0);
  expect(there.timings.network).toBe(0);
  for (const { total, ...stages } of [here.timings, there.timings]) {
    expect(Object.values(stages).reduce((sum, ms) => sum + ms)).toBeCloseTo(total);
  }
  expect(chosen(await ours.caption(image, { search: 'greedy' }))).toEqual(
    chosen(await theirs.caption(image, { search: 'greedy' })),
  );
});

it('says how long it took to read weights out of the graphs', () => {
  expect(ours.info.load.read).toBeGreaterThan(0);
  expect(theirs.info.load.read).toBe(0);
});

it('scores candidates, points and judges, of a photo and of a look', async () => {
  const image = picture(224, 224, 32);
  const candidates = ['red', 'blue', 'dark green'];
  const look = await ours.look(image);
  expect(look.timings.vision).toBeGreaterThan(0);
  expect(look.timings.network).toBe(0);
  const answer = await theirs.answer(image, 'what colour is it?', { candidates });
  const located = await theirs.locate(image, 'the red dog');
  const judged = await theirs.entails(image, 'a dog runs');
  const answers = [
    await ours.answer(image, 'what colour is it?', { candidates }),
    await look.answer('what colour is it?', { candidates }),
  ];
  for (const here of answers) {
    expect(here.text).toBe(answer.text);
    for (const [i, { logProb }] of (answer.candidates ?? []).entries()) {
      expect(here.candidates?.[i]?.logProb).toBeCloseTo(logProb, 1);
    }
    expect(here.cost.submits).toBe(1);
  }
  for (const here of [await ours.locate(image, 'the red dog'), await look.locate('the red dog')]) {
    expect(here.edges).toEqual(located.edges);
    expect(here.logProb).toBeCloseTo(located.logProb, 1);
    expect(here.cost.submits).toBe(1);
  }
  for (const here of [await ours.entails(image, 'a dog runs'), await look.entails('a dog runs')]) {
    expect(here.label).toBe(judged.label);
    expect(here.probabilities.entailment).toBeCloseTo(judged.probabilities.entailment, 2);
    expect(here.cost.submits).toBe(1);
  }
  look.dispose();
});

it('takes a batch as a batch, and leaves out what is no picture', async () => {
  const [a, b] = [await jpeg(90, 120, 33), picture(224, 224, 34)];
  const [first, broken, last] = await ours.captionBatch([a, new Blob(['x']), b]);
  if (!first || first instanceof NarvlError) throw first;
  if (!last || last instanceof NarvlError) throw last;
  expect(broken).toMatchObject({ name: 'NarvlError', code: 'unsupported-image' });
  expect(chosen(first)).toEqual(chosen(await theirs.caption(a)));
  expect(chosen(last)).toEqual(chosen(await theirs.caption(b)));
  expect(last.cost.submits).toBe(1);
  expect(last.cost.dispatches).toBe((await ours.caption(b)).cost.dispatches);
});

it('leaves vision to onnxruntime on the GPU where the decoder is elsewhere', async () => {
  const mixed = await Narvl.load(MODEL, { device: { encoder: 'webgpu', decoder: 'reference' } });
  try {
    const image = await jpeg(120, 90, 35);
    expect(chosen(await mixed.caption(image))).toEqual(chosen(await theirs.caption(image)));
  } finally {
    mixed.dispose();
  }
});
