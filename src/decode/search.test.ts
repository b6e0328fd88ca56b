/** Which search a task gets, and what it finds. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ModelFiles } from '../model/files.ts';
import { parseManifest } from '../model/manifest.ts';
import { anyPosteriors, bos, everyPath } from '../testing/posteriors.ts';
import { Searches, search } from './search.ts';

/** A model of 8 tokens, which training/ngram.py wrote. */
const ngrams: { vocabulary: number; file: string } = JSON.parse(
  readFileSync(new URL('../testing/ngrams.json', import.meta.url), 'utf8'),
);

const beam = { ngrams: 'captions.bin', bos, width: 16, languageWeight: 0.5, bonus: 2 };

function model(vocabulary = ngrams.vocabulary): ModelFiles {
  const names = ['vision.onnx', 'fusion.onnx', 'decoder.safetensors', 'tokenizer.json'];
  const file = { bytes: 1, sha256: '0'.repeat(64) };
  const queries = { first: 0, count: 3 };
  const manifest = parseManifest(
    JSON.stringify({
      format: 2,
      name: 'test',
      files: Object.fromEntries([...names, 'captions.bin'].map((name) => [name, file])),
      image: { size: 8, mean: [0, 0, 0], std: [1, 1, 1], fit: 'squash' },
      features: { rows: 4, width: 6 },
      prompt: { length: 3, pad: 3 },
      decoder: {
        ...{ width: 8, heads: 2, layers: 1, ffn: 8, vocabulary, queries: 4, memory: 7 },
        ...{ blank: 0, eos: 2, epsilon: 1e-5 },
      },
      tasks: {
        caption: { kind: 'caption', prompt: 'what?', queries, beam },
        answer: { kind: 'answer', queries },
      },
      licence: '',
      trainedOn: [],
    }),
  );
  const data = Uint8Array.from(Buffer.from(ngrams.file, 'base64')).buffer;
  const none = new ArrayBuffer(0);
  const files = Object.fromEntries(names.map((name) => [name, none])) as ModelFiles['files'];
  return { manifest, files: { ...files, 'captions.bin': data } };
}

describe('Searches', () => {
  const one = model();
  const searches = new Searches(one);
  const { beam: guided } = one.manifest.tasks.caption ?? {};

  test('a task with n-grams is searched with them, one without is collapsed', () => {
    expect(searches.choose(guided, {})).toMatchObject({ languageWeight: 0.5, bonus: 2, bos });
    expect(searches.choose(undefined, {})).toBeUndefined();
  });

  test('the caller may choose', () => {
    expect(searches.choose(guided, { search: 'greedy' })).toBeUndefined();
    expect(searches.choose(undefined, { search: 'beam' })).toMatchObject({ languageWeight: 0 });
    expect(searches.choose(undefined, { alternatives: 3 })).toMatchObject({ bonus: 0 });
  });

  test.each([
    [{ search: 'best' as 'beam' }, /search: expected beam or greedy, got "best"/],
    [{ alternatives: 16 }, /alternatives: expected a whole number up to 15, got 16/],
    [{ alternatives: 0.5 }, /alternatives/],
    [{ search: 'greedy', alternatives: 1 } as const, /alternatives: a greedy search has none/],
  ])('%o is refused', (wanted, message) => {
    expect(() => searches.choose(guided, wanted)).toThrow(message);
  });

  test('n-grams of another vocabulary are refused', () => {
    expect(() => new Searches(model(9))).toThrow(/n-gram model: expected the decoder's 9 tokens/);
  });
});

test('the slots of what is found spell it, and the others are other texts', () => {
  const options = new Searches(model()).choose(undefined, { search: 'beam' });
  if (!options) throw new Error('expected a search');
  fc.assert(
    fc.property(anyPosteriors(4), (posteriors) => {
      const { decoding, others } = search(posteriors, { ...options, width: 1000 });
      const kept = decoding.slots.filter((slot) => slot.kept).map((slot) => slot.token);
      expect(kept).toEqual(decoding.tokens);
      const texts = new Set(everyPath(posteriors).map(({ text }) => text.join(' ')));
      texts.delete(decoding.tokens.join(' '));
      expect(new Set(others.map(({ tokens }) => tokens.join(' ')))).toEqual(texts);
    }),
    { numRuns: 30 },
  );
});
