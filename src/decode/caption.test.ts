/** The roles of slots and the words of a text, from hand-made alignments. */
import { describe, expect, it } from 'vitest';
import type { Slot } from '../model/decoder.ts';
import { collapse } from '../reference/collapse.ts';
import { readAlternatives, readDecoding } from './caption.ts';

const BLANK = 0;
const EOS = 2;
const specials = { blank: BLANK, eos: EOS };
const names = ['<blank>', '<bos>', '<eos>', ' very', ' good', ' dog', ' 2', '2'];
const words = {
  decode: (ids: readonly number[]) =>
    ids
      .map((id) => names[id])
      .join('')
      .trim(),
  piece: (id: number) => names[id] ?? '?',
};

/** An alignment that chose `tokens`, each with probability one half. */
function read(tokens: readonly number[]) {
  const kept = collapse(tokens, BLANK, EOS);
  const slots: Slot[] = tokens.map((token, i) => ({
    token,
    logProb: Math.log(0.5),
    kept: kept[i] ?? false,
  }));
  const decoding = { tokens: tokens.filter((_, i) => kept[i]), slots };
  return readDecoding(decoding, words, specials, { of: 'text' });
}

describe('readDecoding', () => {
  it('tells words, blanks, repeats, the end and what is after it', () => {
    const { text, slots, tokens } = read([0, 3, 3, 0, 3, 5, EOS, EOS, 5]);
    expect(text).toBe('very very dog');
    expect(slots.map((slot) => slot.role)).toEqual([
      'blank',
      'word',
      'repeat',
      'blank',
      'word',
      'word',
      'end',
      'after',
      'after',
    ]);
    expect(tokens.map((token) => token.id)).toEqual([3, 3, 5]);
  });

  it('keeps a repeat that a blank sets apart and merges one that none does, digits too', () => {
    expect(read([3, 0, 3, 4]).text).toBe('very very good');
    expect(read([3, 3, 3, 4]).text).toBe('very good');
    expect(read([6, 7, 0, 7]).text).toBe('222');
    expect(read([6, 7, 7, 0]).text).toBe('22');
    expect(read([6, 0, 6, 6]).text).toBe('2 2');
  });

  it('is as sure as its words are, or as a whole', () => {
    const slots: Slot[] = [
      { token: 4, logProb: Math.log(0.9), kept: true },
      { token: 5, logProb: Math.log(0.4), kept: true },
      { token: 0, logProb: Math.log(0.01), kept: false },
    ];
    const decoding = { tokens: [4, 5], slots };
    const whole = readDecoding(decoding, words, specials, { of: 'text' });
    expect(whole.confidence).toBeCloseTo(0.6);
    const byWord = readDecoding(decoding, words, specials, { of: 'words' });
    expect(byWord.confidence).toBeCloseTo(0.65);
    const curve = [[-1, 0.75]] as const;
    const calibrated = readDecoding(decoding, words, specials, { of: 'words', curve });
    expect(calibrated.confidence).toBeCloseTo(0.75);
    expect(calibrated.words.map(({ text }) => text)).toEqual(['good', 'dog']);
    for (const { confidence } of calibrated.words) expect(confidence).toBeCloseTo(0.75);
  });

  it('is as sure as its content words are where function words are known', () => {
    const slots: Slot[] = [3, 4, 5].map((token) => ({ token, logProb: -1, kept: true }));
    const judgement = {
      of: 'words',
      curve: [[-1, 0.25]],
      free: { tokens: new Set([3]), curve: [[-1, 0.75]] },
    } as const;
    const sure = (tokens: number[]) =>
      readDecoding({ tokens, slots: slots.slice(0, tokens.length) }, words, specials, judgement);
    const { confidence, words: each } = sure([3, 4, 5]);
    expect(each.map((word) => word.confidence)).toEqual([0.75, 0.25, 0.25]);
    expect(confidence).toBe(0.25);
    expect(sure([3]).confidence).toBe(0.75); // There is nothing else to go by.
  });

  it('takes a word of more pieces for a content word, whatever its first piece', () => {
    const spelling = { ...words, piece: (id: number) => [' a', 'round'][id - 3] ?? '?' };
    const slots: Slot[] = [3, 4].map((token) => ({ token, logProb: -1, kept: true }));
    const judgement = {
      of: 'words',
      curve: [[-1, 0.25]],
      free: { tokens: new Set([3]), curve: [[-1, 0.75]] },
    } as const;
    const { confidence } = readDecoding({ tokens: [3, 4], slots }, spelling, specials, judgement);
    expect(confidence).toBe(0.25);
  });

  it('puts the pieces of a word together', () => {
    const spelling = {
      ...words,
      piece: (id: number) => [' gold', 'fish', ' swims'][id - 3] ?? '?',
    };
    const slots: Slot[] = [3, 4, 5].map((token, i) => ({ token, logProb: -i, kept: true }));
    const decoding = { tokens: [3, 4, 5], slots };
    expect(readDecoding(decoding, spelling, specials, { of: 'words' }).words).toEqual([
      { text: 'goldfish', pieces: [0, 1], confidence: Math.exp(-0.5) },
      { text: 'swims', pieces: [2], confidence: Math.exp(-2) },
    ]);
  });

  it('reads an all-blank pass as an empty text', () => {
    const { text, tokens, confidence } = read([0, 0, 0]);
    expect(text).toBe('');
    expect(tokens).toEqual([]);
    expect(confidence).toBe(0);
  });

  it('cuts posteriors into slots', () => {
    const posteriors = {
      k: 2,
      tokens: Uint32Array.of(5, 0, 0, 3),
      logProbs: Float32Array.of(-0.5, -1, -0.25, -2),
    };
    const decoding = { tokens: [], slots: [], posteriors };
    expect(readDecoding(decoding, words, specials, { of: 'text' })).toMatchObject({
      posteriors: {
        k: 2,
        tokens: [
          [5, 0],
          [0, 3],
        ],
        logProbs: [
          [-0.5, -1],
          [-0.25, -2],
        ],
      },
    });
  });
});

describe('readAlternatives', () => {
  it('says every text once, the best first, and as many as are wanted', () => {
    const pieces = ['<blank>', '<bos>', '<eos>', ' good', ' dog', ' go', 'od'];
    const spelling = {
      ...words,
      decode: (ids: readonly number[]) =>
        ids
          .map((id) => pieces[id])
          .join('')
          .trim(),
    };
    const others = [[5, 6], [4], [3, 4], [5, 6, 4], [3, 3]].map((tokens, i) => ({
      tokens,
      logProb: -1 - i,
      score: -i,
    }));
    const texts = (most: number) =>
      readAlternatives(others, spelling, 'good', most).map(({ text }) => text);
    expect(texts(9)).toEqual(['dog', 'good dog', 'good good']);
    expect(texts(2)).toEqual(['dog', 'good dog']);
    expect(readAlternatives(others, spelling, 'good', 1)[0]?.probability).toBeCloseTo(Math.exp(-2));
  });
});
