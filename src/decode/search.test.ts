/** Which search a task gets, and what it finds. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Posteriors } from '../model/decoder.ts';
import type { ModelFiles } from '../model/files.ts';
import { findCaptionTask, parseManifest } from '../model/manifest.ts';
import { anyPosteriors, blank, bos, eos, everyPath } from '../testing/posteriors.ts';
import { ofPosteriors } from './emissions.ts';
import { textLogProb } from './likelihood.ts';
import { judge, type LanguageModel } from './prefix-beam.ts';
import { type Search, Searches, search, withNames } from './search.ts';

/** A model of 8 tokens, which training/writing/ngram.py wrote. */
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
  const searches = new Searches(one, () => true);
  const { beam: guided } = findCaptionTask(one.manifest, undefined);

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
    expect(() => new Searches(model(9), () => true)).toThrow(
      /n-gram model: expected the decoder's 9 tokens/,
    );
  });
});

/** The likeliest path's text. */
function greedy(posteriors: Posteriors): readonly number[] {
  return everyPath(posteriors).reduce((a, b) => (b.logProb > a.logProb ? b : a)).text;
}

/** One that has an opinion of every pair of tokens, and is none. */
const opinionated: LanguageModel = {
  logProb: (history, token) => -(((history.at(-1) ?? 0) * 7 + token * 3) % 5) / 2 - 0.1,
};

const options = { blank, bos, eos, width: 1000, model: opinionated, languageWeight: 0.7, bonus: 1 };

describe('search', () => {
  test('finds the best of all texts, and ranks the others', () => {
    fc.assert(
      fc.property(anyPosteriors(4), (posteriors) => {
        const score = (tokens: readonly number[]) =>
          textLogProb(ofPosteriors(posteriors), tokens, options) +
          judge(tokens, opinionated, options);
        const { decoding, others } = search(posteriors, greedy(posteriors), options);
        const texts = new Map(everyPath(posteriors).map(({ text }) => [text.join(' '), text]));
        const ranked = [...texts.values()].sort((a, b) => score(b) - score(a));
        const found = [decoding.tokens, ...others.map(({ tokens }) => tokens)];
        expect(found.map(score)).toEqual(ranked.map(score));
        expect(new Set(found.map((text) => text.join(' ')))).toEqual(new Set(texts.keys()));
      }),
      { numRuns: 30 },
    );
  });

  test('has slots that spell what it found', () => {
    fc.assert(
      fc.property(anyPosteriors(4), (posteriors) => {
        const { decoding } = search(posteriors, greedy(posteriors), options);
        const kept = decoding.slots.filter((slot) => slot.kept).map((slot) => slot.token);
        expect(kept).toEqual(decoding.tokens);
      }),
      { numRuns: 30 },
    );
  });

  test('is never worse than the likeliest path, however narrow', () => {
    fc.assert(
      fc.property(anyPosteriors(5), fc.integer({ min: 1, max: 3 }), (posteriors, width) => {
        const text = greedy(posteriors);
        const narrow = { ...options, width };
        const { decoding, others } = search(posteriors, text, narrow);
        const score = (tokens: readonly number[]) =>
          textLogProb(ofPosteriors(posteriors), tokens, narrow) +
          judge(tokens, opinionated, narrow);
        expect(score(decoding.tokens)).toBeGreaterThanOrEqual(score(text));
        expect(others.length).toBeLessThanOrEqual(width);
      }),
      { numRuns: 30 },
    );
  });

  test('says a word again only where that is worth its cost', () => {
    const posteriors: Posteriors = {
      k: 2,
      tokens: Uint32Array.from([3, blank, blank, 3, 3, 4, eos, blank]),
      logProbs: Float32Array.from([0, -40, 0, -40, -0.5, -1.5, 0, -40]),
    };
    const said = (cost: number, free: number[]) => {
      const once = { cost, free, begins: new Set([3, 4]) };
      const even: LanguageModel = { logProb: () => -1 };
      return search(posteriors, [3, 3], { ...options, width: 8, model: even, once }).decoding
        .tokens;
    };
    expect(said(0.5, [])).toEqual([3, 3]);
    expect(said(5, [])).toEqual([3, 4]);
    expect(said(5, [3])).toEqual([3, 3]);
  });

  test('lets the language model decide between what the slots find equal', () => {
    const even = Math.log(0.5);
    const posteriors: Posteriors = {
      k: 2,
      tokens: Uint32Array.from([3, blank, blank, 3, 3, 4, eos, blank]),
      logProbs: Float32Array.from([0, -40, 0, -40, even, even, 0, -40]),
    };
    for (const favourite of [3, 4]) {
      const model: LanguageModel = { logProb: (_, token) => (token === favourite ? -0.1 : -5) };
      const { decoding } = search(posteriors, [3, 3], { ...options, width: 8, model });
      expect(decoding.tokens).toEqual([3, favourite]);
    }
  });

  test('copies a name that the photo may show, if the model does', () => {
    const even = Math.log(0.5);
    const posteriors: Posteriors = {
      k: 2,
      tokens: Uint32Array.from([3, blank, blank, 3, 4, 5, eos, blank]),
      logProbs: Float32Array.from([0, -40, 0, -40, even, even, 0, -40]),
    };
    const model: LanguageModel = { logProb: (_, token) => (token === 4 ? -1 : -3) };
    const plain = { ...options, width: 8, model };
    const how = { start: 0.01, inside: 0.9, least: 0.1, sure: 0.9, named: 1 };
    const copying = { ...plain, copying: how };
    const text = (names: Search) => search(posteriors, [3, 4], names).decoding.tokens;
    const name = (likely: number) => [{ tokens: [3, 5], likely }];
    expect(text(withNames(plain, name(0.5)))).toEqual([3, 4]);
    expect(text(withNames(copying, name(0.5)))).toEqual([3, 5]);
    expect(text(withNames(copying, name(0.05)))).toEqual([3, 4]);
    expect(text(withNames(copying, []))).toEqual([3, 4]);
  });
});
