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
} from '../protocol.ts';
import type { Hypothesis } from './search.ts';

/** What turns token ids into text. */
export interface Words {
  decode(ids: readonly number[]): string;
  piece(id: number): string;
}

/** What a decoding says, in words. */
export interface Reading {
  readonly text: string;
  readonly confidence: number;
  readonly tokens: readonly TextToken[];
  readonly slots: readonly AlignmentSlot[];
  readonly alternatives?: readonly Alternative[];
  readonly candidates?: readonly Candidate[];
  readonly attention?: Attention;
  readonly posteriors?: SlotPosteriors;
}

/** Reads one image's decoding; `blank` and `eos` are the ids of those tokens. */
export function readDecoding(
  decoding: Decoding,
  words: Words,
  blank: number,
  eos: number,
): Reading {
  const roles = slotRoles(decoding.slots, blank, eos);
  const slots = decoding.slots.map((slot, i) => ({
    id: slot.token,
    text: words.piece(slot.token),
    probability: Math.exp(slot.logProb),
    role: roles[i] ?? 'after',
  }));
  const kept = decoding.slots.filter((slot) => slot.kept);
  return {
    text: words.decode(decoding.tokens),
    confidence: geometricMean(kept.length > 0 ? kept : decoding.slots),
    tokens: slots
      .filter((slot) => slot.role === 'word')
      .map(({ id, text, probability }) => ({ id, text, probability })),
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
function slotRoles(slots: readonly Slot[], blank: number, eos: number): SlotRole[] {
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

/** Of the slots' probabilities, so that a long text is not less sure for its length. */
function geometricMean(slots: readonly Slot[]): number {
  const sum = slots.reduce((total, slot) => total + slot.logProb, 0);
  return slots.length > 0 ? Math.exp(sum / slots.length) : 0;
}

function rows({ k, tokens, logProbs }: Posteriors): SlotPosteriors {
  const slots = tokens.length / k;
  const cut = (values: Uint32Array | Float32Array) =>
    Array.from({ length: slots }, (_, i) => Array.from(values.subarray(i * k, (i + 1) * k)));
  return { k, tokens: cut(tokens), logProbs: cut(logProbs) };
}
