/** Questions to the shipped model, and looks: asking many things of a photo that is seen once. */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Caption, type Look, Narvl } from '../../src/index.ts';
import { fetchManifest, openChanged } from './changed-model.ts';
import { WITHOUT_GPU } from './devices.ts';
import { jpeg, picture } from './images.ts';

const MODEL = '/models/narvl-photo/';
const QUESTIONS = ['what colour is the bus?', 'How many are there?', 'is it raining'];
const LAYERS = 4;
const MOST_LOOKS = 64;

let narvl: Narvl;

beforeAll(async () => {
  narvl = await Narvl.load(MODEL);
});

afterAll(() => narvl.dispose());

/** What a pass said, without what it took. */
const said = ({ text, confidence, tokens, slots }: Caption) => ({
  text,
  confidence,
  tokens,
  slots,
});

/** What a pass chose, without its probabilities, which depend on the device's rounding. */
const ids = ({ slots }: Caption) => slots.map((slot) => slot.id);

describe('an answer', () => {
  it('comes from the slots that answer, at the cost of a caption', async () => {
    const { answer: task } = (await fetchManifest()).tasks;
    const answer = await narvl.answer(picture(224, 224, 1), 'what is this?', { posteriors: true });
    expect(answer.slots).toHaveLength(task?.queries.count ?? 0);
    expect(answer.posteriors?.tokens).toHaveLength(answer.slots.length);
    expect(answer.device).toEqual(narvl.info.device);
    expect(answer.timings.vision).toBeGreaterThan(0);
    expect(answer.cost.dispatches).toBeLessThanOrEqual(8 * LAYERS + 4);
    expect(answer.cost.submits).toBe(1);
  });

  it.each(WITHOUT_GPU)('is the same without WebGPU, decoded by %s', async (decoder) => {
    const cpu = await Narvl.load(MODEL, { device: { encoder: 'wasm', decoder } });
    try {
      for (const [seed, question] of QUESTIONS.entries()) {
        const image = picture(224, 224, 2 + seed);
        const [there, here] = [
          await cpu.answer(image, question),
          await narvl.answer(image, question),
        ];
        expect(ids(there)).toEqual(ids(here));
      }
    } finally {
      cpu.dispose();
    }
  });

  it('is the same however the question is written', async () => {
    const image = picture(224, 224, 5);
    const one = await narvl.answer(image, "What’s  the colour of the 'traffic_light' ?");
    const other = await narvl.answer(image, "what's the colour of the'traffic light");
    expect(said(one)).toEqual(said(other));
  });

  it.each([
    ['', /with words in it, got ""/],
    [' ?! ', /with words in it, got " \?! "/],
    ['why '.repeat(200), /too long: expected at most \d+ tokens, got 200/],
    ['Wie viele Zebras sind auf dem Bild?', /the language that the model was taught/],
    ['why '.repeat(100_000), /at most 1000 characters, got 400000/],
    [undefined as unknown as string, /as text, got undefined/],
  ])('is refused to %j before the image is read', async (question, message) => {
    const refusal = {
      name: 'NarvlError',
      code: 'invalid-argument',
      message: expect.stringMatching(message),
    };
    await expect(narvl.answer(new Blob(['x']), question)).rejects.toMatchObject(refusal);
    const look = await narvl.look(picture(64, 64, 6));
    await expect(look.answer(question)).rejects.toMatchObject(refusal);
    await expect(look.answer('and now?')).resolves.toHaveProperty('text');
    look.dispose();
  });

  it('is no caption task', async () => {
    expect(narvl.info.answers).toBe(true);
    expect(narvl.info.tasks).not.toContain('answer');
    await expect(narvl.caption(picture(8, 8, 1), { task: 'answer' })).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringContaining('got "answer"'),
    });
  });

  it('is refused by a model that was not taught to answer', async () => {
    const { tasks } = await fetchManifest();
    const mute = await openChanged(
      { tasks: { caption: tasks.caption, locate: tasks.locate } },
      'wasm',
    );
    expect(mute.info).toMatchObject({ tasks: ['caption'], answers: false });
    const { signal } = new AbortController();
    const ask = { kind: 'answer', question: 'what is this?' } as const;
    await expect(mute.askImages({ images: [], ask }, signal)).rejects.toMatchObject({
      code: 'invalid-argument',
      message: 'This model answers no questions',
    });
  });
});

describe('candidates', () => {
  const COLOURS = ['red', 'Dark blue', 'green', 'a colour that has no name'];

  it.each(WITHOUT_GPU)('are ranked by one pass, and the same by %s', async (decoder) => {
    const image = picture(224, 224, 13);
    const answer = await narvl.answer(image, 'what colour is it?', { candidates: COLOURS });
    const candidates = answer.candidates ?? [];
    expect(candidates.map(({ text }) => text).sort()).toEqual([...COLOURS].sort());
    expect(answer).toMatchObject({
      text: candidates[0]?.text,
      confidence: candidates[0]?.probability,
      cost: { submits: 1 },
    });
    expect(answer.cost.dispatches).toBeLessThanOrEqual(8 * LAYERS + 4);
    expect(answer.tokens.map(({ text }) => text).join('')).toContain(answer.text.toLowerCase());
    const logProbs = candidates.map(({ logProb }) => logProb);
    expect(logProbs).toEqual([...logProbs].sort((a, b) => b - a));
    expect(candidates.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 5);

    const cpu = await Narvl.load(MODEL, { device: { encoder: 'wasm', decoder } });
    try {
      const there = await cpu.answer(image, 'what colour is it?', { candidates: COLOURS });
      expect(there.text).toBe(answer.text);
      expect(ids(there)).toEqual(ids(answer));
      for (const [i, { text, logProb }] of (there.candidates ?? []).entries()) {
        expect(text).toBe(candidates[i]?.text);
        expect(logProb).toBeCloseTo(logProbs[i] ?? Number.NaN, 2);
      }
    } finally {
      cpu.dispose();
    }
  });

  it('are scored alike one by one, as captions and as answers', async () => {
    const look = await narvl.look(picture(224, 224, 14));
    const question = 'what is this?';
    const { text } = await look.answer(question, { search: 'greedy' });
    const { candidates = [] } = await look.answer(question, { candidates: [text, 'a tree'] });
    for (const candidate of candidates) {
      const score = await look.score(candidate.text, { question });
      expect(score).toBeCloseTo(candidate.logProb, 4);
      expect(score).toBeLessThan(0);
      expect(await look.score(candidate.text)).not.toBeCloseTo(score, 1);
    }
    // What one pass wrote is likelier as a whole than the one path that it was read from.
    const caption = await look.caption({ search: 'greedy' });
    const path = caption.slots.reduce((sum, slot) => sum + Math.log(slot.probability), 0);
    expect(await look.score(caption.text)).toBeGreaterThan(path);
    look.dispose();
  });

  it('choose for each photo of a batch', async () => {
    const images = [15, 16].map((seed) => picture(224, 224, seed));
    const candidates = ['a red square', 'a green field', 'two dogs on a beach'];
    const together = await narvl.captionBatch(images, { candidates });
    for (const [i, image] of images.entries()) {
      const alone = await narvl.caption(image, { candidates });
      const { text, candidates: ranked = [] } = together[i] as Caption;
      expect(text).toBe(alone.text);
      for (const [at, { logProb }] of ranked.entries()) {
        expect(logProb).toBeCloseTo(alone.candidates?.[at]?.logProb ?? Number.NaN, 3);
      }
    }
  });

  it.each([
    [{ candidates: [] }, /list of 1 to 65535 texts, got 0/],
    [{ candidates: ['red', 'Red'] }, /no two alike, got "red" twice/],
    [{ candidates: ['red'], search: 'beam' as const }, /no search and no alternatives/],
    [{ candidates: ['red'], alternatives: 2 }, /no search and no alternatives/],
    [{ candidates: ['one two three '.repeat(20)] }, /that 12 slots can spell, got none/],
  ])('are refused if they are %j', async (options, message) => {
    const asked = narvl.answer(picture(32, 32, 17), 'what colour is it?', options);
    await expect(asked).rejects.toMatchObject({
      name: 'NarvlError',
      code: 'invalid-argument',
      message: expect.stringMatching(message),
    });
  });

  it('are as likely as an answer or as a caption, not both', async () => {
    const look = await narvl.look(picture(32, 32, 18));
    const scored = look.score('red', { question: 'what colour is it?', task: 'caption' });
    await expect(scored).rejects.toMatchObject({ code: 'invalid-argument' });
    look.dispose();
  });
});

describe('an explained text', () => {
  it.each(WITHOUT_GPU)('says where each word looked, and the same by %s', async (decoder) => {
    const image = picture(224, 224, 19);
    const caption = await narvl.caption(image, { explain: true });
    const { attention } = caption;
    const { grid: [rows, columns] = [0, 0] } = (await fetchManifest()).features;
    expect(attention).toMatchObject({ rows, columns });
    expect(attention?.tokens).toHaveLength(caption.tokens.length);
    for (const cells of attention?.tokens ?? []) {
      expect(cells).toHaveLength(rows * columns);
      expect(cells.reduce((sum, cell) => sum + cell, 0)).toBeCloseTo(1, 4);
    }
    expect(caption.cost.dispatches).toBeLessThanOrEqual(8 * LAYERS + 4);
    expect(await narvl.caption(image)).not.toHaveProperty('attention');

    const cpu = await Narvl.load(MODEL, { device: { encoder: 'wasm', decoder } });
    try {
      const there = await cpu.caption(image, { explain: true });
      for (const [i, cells] of (there.attention?.tokens ?? []).entries()) {
        for (const [at, cell] of cells.entries()) {
          expect(cell).toBeCloseTo(attention?.tokens[i]?.[at] ?? Number.NaN, 4);
        }
      }
      expect(there.attention?.tokens).toHaveLength(attention?.tokens.length ?? 0);
    } finally {
      cpu.dispose();
    }
  });
});

describe('a look', () => {
  it('is asked what single calls would be, and sees once', async () => {
    const image = await jpeg(320, 200, 7);
    const look = await narvl.look(image);
    expect(look.timings.vision).toBeGreaterThan(0);
    expect(look.timings).toMatchObject({ fusion: 0, decoder: 0, search: 0 });
    const pairs = [[await look.caption(), await narvl.caption(image)] as const];
    for (const task of narvl.info.tasks) {
      pairs.push([await look.caption({ task }), await narvl.caption(image, { task })]);
    }
    for (const question of QUESTIONS) {
      pairs.push([await look.answer(question), await narvl.answer(image, question)]);
    }
    for (const [asked, alone] of pairs) {
      expect(said(asked)).toEqual(said(alone));
      expect(asked.timings).toMatchObject({ image: 0, preprocess: 0, vision: 0 });
      const { fusion, decoder, search, total } = asked.timings;
      expect(fusion + decoder + search).toBeCloseTo(total);
    }
    const { posteriors } = await look.answer(QUESTIONS[0] ?? '', { posteriors: true });
    expect(posteriors).toEqual(
      (await narvl.answer(image, QUESTIONS[0] ?? '', { posteriors: true })).posteriors,
    );
    look.dispose();
  });

  it('keeps to its photo among others, asked all at once', async () => {
    const images = [8, 9, 10].map((seed) => picture(224, 224, seed));
    const looks = await Promise.all(images.map((image) => narvl.look(image)));
    const asked = await Promise.all(
      looks.map((look) => Promise.all([look.caption(), look.answer('what is this?')])),
    );
    for (const [i, image] of images.entries()) {
      const alone = [await narvl.caption(image), await narvl.answer(image, 'what is this?')];
      expect(asked[i]?.map(said)).toEqual(alone.map(said));
    }
    for (const look of looks) look.dispose();
  });

  it('keeps to its photo with everything on the GPU', async () => {
    const device = { encoder: 'webgpu', decoder: 'webgpu' } as const;
    const gpu = await Narvl.load(MODEL, { device });
    try {
      const images = [11, 12].map((seed) => picture(224, 224, seed));
      const looks: Look[] = [];
      for (const image of images) {
        looks.push(await gpu.look(image));
        // What is asked waits for the GPU: one photo's work at a time is enough for a software one.
        await looks.at(-1)?.caption();
      }
      for (const [i, image] of images.entries()) {
        const here = await narvl.answer(image, 'what is this?');
        expect(ids(await looks[i]!.answer('what is this?'))).toEqual(ids(here));
      }
      looks[0]?.dispose();
      await expect(looks[1]?.caption()).resolves.toHaveProperty('text');
    } finally {
      gpu.dispose();
    }
  });

  it('has the errors of its image', async () => {
    await expect(narvl.look(new Blob(['x']))).rejects.toMatchObject({ code: 'unsupported-image' });
    await expect(narvl.look(42 as unknown as Blob)).rejects.toMatchObject({
      code: 'invalid-argument',
    });
  });

  it('is over when it is disposed, for what waits too, and others go on', async () => {
    const [look, other] = [
      await narvl.look(picture(64, 64, 13)),
      await narvl.look(picture(64, 64, 14)),
    ];
    const [waiting, kept] = [look.answer('what is this?'), other.answer('what is this?')];
    look.dispose();
    look.dispose();
    await expect(waiting).rejects.toMatchObject({ name: 'NarvlError', code: 'disposed' });
    await expect(look.caption()).rejects.toMatchObject({ code: 'disposed' });
    await expect(look.answer('what is this?')).rejects.toMatchObject({ code: 'disposed' });
    await expect(kept).resolves.toHaveProperty('text');
    other.dispose();
  });

  it('is asked before photos that wait, if that is more urgent, and after what is not', async () => {
    const look = await narvl.look(picture(64, 64, 19));
    const done: string[] = [];
    const note = (name: string) => () => void done.push(name);
    await Promise.all([
      narvl.caption(picture(64, 64, 20), { priority: 'low' }).then(note('first of a folder')),
      narvl.caption(picture(64, 64, 21), { priority: 'low' }).then(note('last of a folder')),
      narvl.captionBatch([picture(64, 64, 22)]).then(note('photo')),
      look.answer('what is this?', { priority: 'high' }).then(note('question')),
      narvl.look(picture(64, 64, 23), { priority: 'high' }).then((other) => {
        done.push('second look');
        other.dispose();
      }),
    ]);
    // Which one began before the others were there is the browser's affair.
    const others = done.filter((name) => name !== 'first of a folder');
    expect(others).toEqual(['question', 'second look', 'photo', 'last of a folder']);
    look.dispose();
  });

  it('has to be of a priority that there is', async () => {
    const priority = 'urgent' as 'high';
    const look = await narvl.look(picture(64, 64, 24));
    const refused = { code: 'invalid-argument', message: expect.stringContaining('got "urgent"') };
    await expect(look.caption({ priority })).rejects.toMatchObject(refused);
    await expect(look.score('a dog', { priority })).rejects.toMatchObject(refused);
    await expect(narvl.look(picture(64, 64, 24), { priority })).rejects.toMatchObject(refused);
    await expect(narvl.caption(picture(64, 64, 24), { priority })).rejects.toMatchObject(refused);
    look.dispose();
  });

  it('can be cancelled, and what is asked of it', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const look = await narvl.look(picture(64, 64, 15));
    const dropped = [narvl.look(picture(64, 64, 16), { signal }), look.caption({ signal })];
    const kept = look.answer('what is this?');
    controller.abort();
    for (const one of dropped) await expect(one).rejects.toMatchObject({ code: 'aborted' });
    await expect(kept).resolves.toHaveProperty('text');
    await expect(look.caption({ signal })).rejects.toMatchObject({ code: 'aborted' });
    look.dispose();
  });

  it(`is one of at most ${MOST_LOOKS}, not counting those disposed, failed or cancelled`, async () => {
    const looks: Look[] = [];
    for (let i = 0; i < MOST_LOOKS; i++) looks.push(await narvl.look(picture(16, 16, i)));
    const more = () => narvl.look(picture(16, 16, 17));
    await expect(more()).rejects.toMatchObject({
      code: 'too-many-looks',
      message: expect.stringContaining(`fewer than ${MOST_LOOKS} looks`),
    });
    await expect(looks[0]?.caption()).resolves.toHaveProperty('text');
    looks.pop()?.dispose();
    await expect(narvl.look(new Blob(['x']))).rejects.toMatchObject({ code: 'unsupported-image' });
    const controller = new AbortController();
    const cancelled = narvl.look(picture(2000, 2000, 18), { signal: controller.signal });
    setTimeout(() => controller.abort(), 20); // most often while the worker looks
    await cancelled.then(
      (look) => look.dispose(),
      (error: unknown) => expect(error).toMatchObject({ code: 'aborted' }),
    );
    looks.push(await more());
    for (const look of looks) look.dispose();
  }, 1_800_000); // So many looks take seconds, on a busy machine half an hour.
});

describe('a look that its worker took with it', () => {
  afterEach(() => vi.restoreAllMocks());

  it('says so, also for what waits, and a new one works', async () => {
    const sent = vi.spyOn(Worker.prototype, 'postMessage');
    const fragile = await Narvl.load(MODEL);
    try {
      const image = picture(64, 64, 19);
      const look = await fragile.look(image);
      const expected = said(await look.answer('what is this?'));
      const waiting = look.answer('what is this?');
      const [worker] = sent.mock.contexts as Worker[];
      worker?.dispatchEvent(new ErrorEvent('error', { message: 'out of memory' }));
      const lost = {
        code: 'worker-failed',
        message: expect.stringMatching(/out of memory.*look at the image again/),
      };
      await expect(waiting).rejects.toMatchObject(lost);
      await expect(look.caption()).rejects.toMatchObject(lost);

      const again = await fragile.look(image);
      expect(said(await again.answer('what is this?'))).toEqual(expected);
      await expect(look.caption()).rejects.toMatchObject(lost);
      look.dispose();
      await expect(again.caption()).resolves.toHaveProperty('text');
    } finally {
      fragile.dispose();
    }
  });

  it('is disposed where the model is', async () => {
    const other = await Narvl.load(MODEL);
    const look = await other.look(picture(64, 64, 20));
    const waiting = look.answer('what is this?');
    other.dispose();
    await expect(waiting).rejects.toMatchObject({ code: 'disposed' });
    await expect(look.caption()).rejects.toMatchObject({ code: 'disposed' });
    await expect(other.look(picture(64, 64, 20))).rejects.toMatchObject({ code: 'disposed' });
  });
});
