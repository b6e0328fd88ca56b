/**
 * Pointing and entailment in a real worker, on every device. The pictures are drawn, so that what is said
 * of them means little, but it has to be a box or three shares, and the same everywhere.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Entailed, type Located, Narvl } from '../../src/index.ts';
import { onlyTask } from '../../src/model/manifest.ts';
import { fetchManifest, openChanged } from './changed-model.ts';
import { WITHOUT_GPU } from './devices.ts';
import { jpeg, picture } from './images.ts';

const MODEL = '/models/narvl-photo/';
const BINS = 64;
const LAYERS = 4;
const PHRASES = ['the dog on the left', 'A red "square".', 'two people'];
const STATEMENTS = ['Two people are outdoors.', 'nobody is there', 'a dog runs'];

let narvl: Narvl;
beforeAll(async () => {
  narvl = await Narvl.load(MODEL);
});
afterAll(() => narvl.dispose());

/** The bins of a box's edges, which have to be whole. */
const binsOf = ({ edges }: Located) => edges.map((edge) => edge * BINS - 0.5);

function expectBox(located: Located, width: number, height: number): void {
  const { edges, box, confidence, logProb } = located;
  const [x0, y0, x1, y1] = edges;
  for (const bin of binsOf(located)) {
    expect(bin).toBeCloseTo(Math.round(bin), 9);
    expect(bin).toBeGreaterThan(-0.1);
    expect(bin).toBeLessThan(BINS - 0.9);
  }
  expect(x0).toBeLessThan(x1);
  expect(y0).toBeLessThan(y1);
  expect(box.x).toBeCloseTo(x0 * width);
  expect(box.y).toBeCloseTo(y0 * height);
  expect(box.width).toBeCloseTo((x1 - x0) * width);
  expect(box.height).toBeCloseTo((y1 - y0) * height);
  expect(confidence).toBeGreaterThanOrEqual(0);
  expect(confidence).toBeLessThanOrEqual(1);
  expect(logProb).toBeLessThan(0);
}

function expectShares({ label, probabilities }: Entailed): void {
  const all = Object.entries(probabilities);
  expect(all.map(([name]) => name)).toEqual(['entailment', 'neutral', 'contradiction']);
  expect(all.reduce((sum, [, share]) => sum + share, 0)).toBeCloseTo(1, 5);
  expect(probabilities[label]).toBe(Math.max(...all.map(([, share]) => share)));
}

/** What was found, without what it took. */
const box = ({ edges, logProb }: Located) => ({ edges, logProb: expect.closeTo(logProb, 3) });
const shares = ({ label, probabilities }: Entailed) => ({
  label,
  probabilities: Object.fromEntries(
    Object.entries(probabilities).map(([name, share]) => [name, expect.closeTo(share, 4)]),
  ),
});

describe('a model that points and judges', () => {
  it('says so, and captions and answers as before', async () => {
    expect(narvl.info).toMatchObject({ locates: true, entails: true, answers: true });
    const tasks = [...narvl.info.tasks];
    expect(tasks).not.toContain('locate');
    await expect(narvl.caption(picture(64, 64, 1), { task: 'locate' })).rejects.toMatchObject({
      code: 'invalid-argument',
    });
    expect((await narvl.caption(picture(64, 64, 1))).text).not.toBe('');
  });

  it("points in the image's own pixels, however many it has", async () => {
    expectBox(await narvl.locate(await jpeg(320, 200, 2), 'the dog'), 320, 200);
    const large = await narvl.locate(picture(3000, 1000, 2), 'the dog');
    expectBox(large, 3000, 1000);
    const pixels = picture(40, 30, 2).getContext('2d')?.getImageData(0, 0, 40, 30);
    if (!pixels) throw new Error('no pixels');
    expectBox(await narvl.locate(pixels, 'the dog'), 40, 30);
  });

  it('does either in one pass, of a look too, within the budget', async () => {
    const image = picture(224, 224, 3);
    const look = await narvl.look(image);
    for (const [i, phrase] of PHRASES.entries()) {
      const statement = STATEMENTS[i] ?? '';
      const [located, entailed] = [await look.locate(phrase), await look.entails(statement)];
      expectBox(located, 224, 224);
      expectShares(entailed);
      for (const { cost, timings, device } of [located, entailed]) {
        expect(cost.submits).toBe(1);
        expect(cost.dispatches).toBeLessThanOrEqual(8 * LAYERS + 4);
        expect(timings).toMatchObject({ image: 0, preprocess: 0, vision: 0 });
        expect(timings.fusion + timings.decoder + timings.search).toBeCloseTo(timings.total);
        expect(device).toEqual(narvl.info.device);
      }
      expect(await narvl.locate(image, phrase)).toMatchObject(box(located));
      expect(await narvl.entails(image, statement)).toMatchObject(shares(entailed));
    }
    look.dispose();
    await expect(look.locate('the dog')).rejects.toMatchObject({ code: 'disposed' });
    await expect(look.entails('a dog runs')).rejects.toMatchObject({ code: 'disposed' });
  });

  it('reads phrases and statements in normal form', async () => {
    const look = await narvl.look(picture(224, 224, 4));
    const plain = await look.locate('the red dog');
    expect(await look.locate(' The  "red" Dog. ')).toMatchObject(box(plain));
    expect(await look.locate('the blue dog')).not.toMatchObject(box(plain));
    const judged = await look.entails('two people are outdoors');
    expect(await look.entails('Two people are outdoors.')).toMatchObject(shares(judged));
    look.dispose();
  });

  it.each(WITHOUT_GPU)('finds the same without WebGPU, decoded by %s', async (decoder) => {
    const cpu = await Narvl.load(MODEL, { device: { encoder: 'wasm', decoder } });
    try {
      const image = picture(224, 224, 5);
      const [here, there] = [await narvl.look(image), await cpu.look(image)];
      const [phrase = '', statement = ''] = [PHRASES[0], STATEMENTS[0]];
      expect(await there.locate(phrase)).toMatchObject(box(await here.locate(phrase)));
      expect(await there.entails(statement)).toMatchObject(shares(await here.entails(statement)));
      here.dispose();
    } finally {
      cpu.dispose();
    }
  });

  it.each([
    ['nothing', '', /with words in it, got ""/],
    ['no words', ' ?! ', /with words in it, got " \?! "/],
    ['too many words', 'dog '.repeat(200), /at most \d+ tokens.*, got \d+/],
    ['far too many', 'dog '.repeat(1000), /at most 1000 characters, got 4000/],
    ['no text', undefined as unknown as string, /as text, got undefined/],
  ])('refuses %s before the image is read', async (_, text, message) => {
    const refusal = {
      name: 'NarvlError',
      code: 'invalid-argument',
      message: expect.stringMatching(message),
    };
    await expect(narvl.locate(new Blob(['x']), text)).rejects.toMatchObject(refusal);
    await expect(narvl.entails(new Blob(['x']), text)).rejects.toMatchObject(refusal);
    await expect(narvl.locate(new Blob(['x']), 'the dog')).rejects.toMatchObject({
      code: 'unsupported-image',
    });
  });

  it('can be cancelled, and what waits behind goes on', async () => {
    const look = await narvl.look(picture(64, 64, 6));
    const controller = new AbortController();
    const { signal } = controller;
    const dropped = [
      look.locate('the dog', { signal }),
      look.entails('a dog runs', { signal }),
      narvl.locate(picture(64, 64, 6), 'the dog', { signal }),
      narvl.entails(picture(64, 64, 6), 'a dog runs', { signal }),
    ];
    const kept = look.locate('the dog');
    controller.abort();
    for (const one of dropped) await expect(one).rejects.toMatchObject({ code: 'aborted' });
    expectBox(await kept, 64, 64);
    look.dispose();
  });
});

describe('location tokens', () => {
  it('stand behind those of words, and are in no text', async () => {
    const manifest = await fetchManifest();
    const { first = 0, count = 0 } = onlyTask(manifest, 'locate')?.bins ?? {};
    expect(first + count).toBe(manifest.decoder.vocabulary);
    const image = picture(224, 224, 7);
    for (const { text, tokens } of [
      await narvl.caption(image),
      await narvl.answer(image, 'where is the dog?'),
    ]) {
      expect(text).not.toBe('');
      expect(tokens.every(({ id }) => id < first)).toBe(true);
    }
  });
});

describe('images of a batch', () => {
  it('have each the box and the label that they have alone', async () => {
    const model = await openChanged({}, 'wasm');
    const { signal } = new AbortController();
    const sizes = [
      [60, 40],
      [224, 224],
      [100, 300],
    ] as const;
    const files = await Promise.all(
      sizes.map(async ([width, height], seed) => jpeg(width, height, seed)),
    );
    const wired = files.map((blob) => ({ kind: 'blob', blob }) as const);
    for (const ask of [
      { kind: 'locate', phrase: 'the dog' },
      { kind: 'entail', statement: 'a dog runs' },
    ] as const) {
      const together = await model.askImages({ images: wired, ask }, signal);
      for (const [i, image] of wired.entries()) {
        const [alone] = await model.askImages({ images: [image], ask }, signal);
        const [one, many] = [alone, together[i]];
        if (!one?.ok || !many?.ok) throw new Error('expected a reply for each image');
        if ('box' in one.value && 'box' in many.value) {
          expect(many.value).toMatchObject(box(one.value));
          const [width, height] = sizes[i] ?? [0, 0];
          expectBox(many.value, width, height);
        } else if ('label' in one.value && 'label' in many.value) {
          expect(many.value).toMatchObject(shares(one.value));
        } else {
          throw new Error('expected two boxes or two labels');
        }
      }
    }
  });
});

describe('a model without a task', () => {
  it('says which it lacks', async () => {
    // Without pointing its location tokens would be words that the tokenizer does not know.
    const { caption, locate } = (await fetchManifest()).tasks;
    const mute = await openChanged({ tasks: { caption, locate } }, 'wasm');
    expect(mute.info).toMatchObject({ locates: true, entails: false, answers: false });
    const { signal } = new AbortController();
    const entail = { images: [], ask: { kind: 'entail', statement: 'a dog runs' } } as const;
    await expect(mute.askImages(entail, signal)).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringMatching(/judges no statements.*no task of the kind "entail"/),
    });
  });
});
