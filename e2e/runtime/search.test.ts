/** How texts are found among the posteriors of the shipped model, and what else is there. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caption, Narvl } from '../../src/index.ts';
import { WITHOUT_GPU } from './devices.ts';
import { picture } from './images.ts';

const MODEL = '/models/narvl-photo/';
const QUESTION = 'where was the photo taken?';

let narvl: Narvl;
beforeAll(async () => {
  narvl = await Narvl.load(MODEL);
});
afterAll(() => narvl.dispose());

/** The text that the slots collapse to, by their roles. */
const spelled = ({ slots }: Caption) =>
  slots.filter((slot) => slot.role === 'word').map((slot) => slot.id);

describe('a search', () => {
  it('is by whole texts unless asked otherwise', async () => {
    const image = picture(224, 224, 31);
    for (const ask of [
      (options: object) => narvl.caption(image, options),
      (options: object) => narvl.answer(image, QUESTION, options),
    ]) {
      const [plain, beam] = [await ask({}), await ask({ search: 'beam' })];
      expect(plain.text).toBe(beam.text);
      expect(plain.text).not.toBe('');
      expect(plain.alternatives).toBeUndefined();
      expect(plain.posteriors).toBeUndefined();
    }
  });

  it('has slots that collapse into its text', async () => {
    for (const search of ['beam', 'greedy'] as const) {
      const caption = await narvl.caption(picture(224, 224, 32), { search });
      expect(spelled(caption)).toEqual(caption.tokens.map((token) => token.id));
      expect(caption.confidence).toBeGreaterThan(0);
      expect(caption.confidence).toBeLessThanOrEqual(1);
    }
  });

  it('takes every slot at its likeliest token if it is greedy', async () => {
    const options = { search: 'greedy', posteriors: true } as const;
    const { slots, posteriors } = await narvl.caption(picture(224, 224, 33), options);
    expect(slots.map((slot) => slot.id)).toEqual(posteriors?.tokens.map(([first]) => first));
  });

  it('gives other texts if asked for them, all different', async () => {
    const look = await narvl.look(picture(224, 224, 34));
    for (const caption of [
      await look.caption({ alternatives: 5 }),
      await look.answer(QUESTION, { alternatives: 5 }),
    ]) {
      const texts = [caption.text, ...(caption.alternatives ?? []).map(({ text }) => text)];
      expect(texts.length).toBeGreaterThan(1);
      expect(texts.length).toBeLessThanOrEqual(6);
      expect(new Set(texts).size).toBe(texts.length);
      const total = caption.alternatives?.reduce((sum, one) => sum + one.probability, 0);
      expect(total).toBeGreaterThan(0);
      expect(total).toBeLessThan(1);
    }
    look.dispose();
  });

  it.each(WITHOUT_GPU)('finds the same without WebGPU, decoded by %s', async (decoder) => {
    const cpu = await Narvl.load(MODEL, { device: { encoder: 'wasm', decoder } });
    try {
      const image = picture(224, 224, 35);
      const [here, there] = [
        await narvl.caption(image, { alternatives: 3 }),
        await cpu.caption(image, { alternatives: 3 }),
      ];
      expect(there.text).toBe(here.text);
      expect(there.alternatives?.map(({ text }) => text)).toEqual(
        here.alternatives?.map(({ text }) => text),
      );
      for (const [i, { probability }] of (there.alternatives ?? []).entries()) {
        expect(probability).toBeCloseTo(here.alternatives?.[i]?.probability ?? Number.NaN, 4);
      }
    } finally {
      cpu.dispose();
    }
  });

  it.each([
    { search: 'best' as 'beam' },
    { alternatives: 16 },
    { alternatives: -1 },
    { search: 'greedy', alternatives: 2 } as const,
  ])('refuses %o', async (options) => {
    await expect(narvl.caption(picture(8, 8, 1), options)).rejects.toMatchObject({
      code: 'invalid-argument',
    });
  });
});
