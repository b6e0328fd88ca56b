/** From a decoder pass to words: the collapsed text, its confidence, and each slot's part in it. */
import type { Decoding, Posteriors, Slot } from '../model/decoder.ts';
import type {
  AlignmentSlot,
  Alternative,
  Attention,
  Candidate,
  SlotPosteriors,
  SlotRole,
  TextToken,
  TextWord,
} from '../protocol.ts';
import { type Judgement, sureness } from './confidence.ts';
import type { Specials } from './lattice.ts';
import type { Hypothesis } from './search.ts';
import { type Word, wordsOf } from './words.ts';

/** What turns token ids into text. */
export interface Words {
  decode(ids: readonly number[]): string;
  piece(id: number): string;
}

/** What a decoding says, in words. */
export interface Reading {
  readonly text: string;
  readonly confidence: number;
  readonly words: readonly TextWord[];
  readonly tokens: readonly TextToken[];
  readonly slots: readonly AlignmentSlot[];
  readonly alternatives?: readonly Alternative[];
  readonly candidates?: readonly Candidate[];
  readonly attention?: Attention;
  readonly posteriors?: SlotPosteriors;
}

/** Reads one image's decoding. */
export function readDecoding(
  decoding: Decoding,
  words: Words,
  specials: Specials,
  { of, curve, free }: Judgement,
): Reading {
  const roles = slotRoles(decoding.slots, specials);
  const slots = decoding.slots.map((slot, i) => ({
    id: slot.token,
    text: words.piece(slot.token),
    probability: Math.exp(slot.logProb),
    role: roles[i] ?? 'after',
  }));
  const tokens = slots
    .filter((slot) => slot.role === 'word')
    .map(({ id, text, probability }) => ({ id, text, probability }));
  const logProbs = decoding.slots.filter((slot) => slot.kept).map((slot) => slot.logProb);
  const isFree = ({ pieces: [first = -1, second] }: Word) =>
    second === undefined && free?.tokens.has(tokens[first]?.id ?? -1) === true;
  const sureWords = wordsOf(tokens).map((word) => {
    const own = word.pieces.map((piece) => logProbs[piece] ?? -Infinity);
    return { ...word, confidence: sureness(own, isFree(word) ? free?.curve : curve) };
  });
  const content = sureWords.filter((word) => !isFree(word));
  return {
    text: words.decode(decoding.tokens),
    confidence:
      of === 'text' ? sureness(logProbs, curve) : mean(content.length > 0 ? content : sureWords),
    words: sureWords,
    tokens,
    slots,
    ...(decoding.posteriors ? { posteriors: rows(decoding.posteriors) } : {}),
  };
}

/**
 * At most `most` other texts that a search found, in words. Different word pieces may spell the
 * same words: of such only the best counts, and none that spell `text` again.
 */
export function readAlternatives(
  others: readonly Hypothesis[],
  words: Words,
  text: string,
  most: number,
): Alternative[] {
  const said = new Map<string, Alternative>();
  for (const { tokens, logProb } of others) {
    const other = words.decode(tokens);
    if (other === text || said.has(other)) continue;
    said.set(other, { text: other, probability: Math.exp(logProb) });
  }
  return [...said.values()].slice(0, most);
}

/** What became of each slot's token in the collapse. */
function slotRoles(slots: readonly Slot[], { blank, eos }: Specials): SlotRole[] {
  let ended = false;
  return slots.map(({ token, kept }) => {
    if (ended) return 'after';
    if (token === eos) {
      ended = true;
      return 'end';
    }
    if (kept) return 'word';
    return token === blank ? 'blank' : 'repeat';
  });
}

/** How many of the words are right, as a share; none of none. */
function mean(words: readonly TextWord[]): number {
  const sum = words.reduce((total, { confidence }) => total + confidence, 0);
  return words.length > 0 ? sum / words.length : 0;
}

function rows({ k, tokens, logProbs }: Posteriors): SlotPosteriors {
  const slots = tokens.length / k;
  const cut = (values: Uint32Array | Float32Array) =>
    Array.from({ length: slots }, (_, i) => Array.from(values.subarray(i * k, (i + 1) * k)));
  return { k, tokens: cut(tokens), logProbs: cut(logProbs) };
}
