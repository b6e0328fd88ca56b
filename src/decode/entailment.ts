/** Whether a statement follows from a photo: a choice among three labels by their exact probabilities. */
import type { Decoding } from '../model/decoder.ts';
import { normalise } from '../model/text.ts';
import type { EntailmentLabel } from '../protocol.ts';
import { type Candidates, choose, type Encoder, type Sharing } from './candidates.ts';
import type { Specials } from './lattice.ts';

/** The labels in the order of their candidates. */
const LABELS = ['entailment', 'neutral', 'contradiction'] as const;

/** What the model writes for each label. */
export type LabelTexts = Readonly<Record<EntailmentLabel, string>>;

/** The labels' texts as candidates. */
export function labelCandidates(texts: LabelTexts, encoder: Encoder): Candidates {
  const inOrder = LABELS.map((label) => texts[label]);
  return { texts: inOrder, tokens: inOrder.map((text) => encoder.encode(normalise(text))) };
}

/** The likeliest label of a decoding that scored the labels' texts, and how likely each is. */
export function readEntailment(
  candidates: Candidates,
  decoding: Decoding,
  specials: Specials,
  sharing: Sharing | undefined,
): { label: EntailmentLabel; probabilities: Record<EntailmentLabel, number> } {
  const chosen = choose(candidates, decoding, specials, sharing).candidates;
  const probabilities = { entailment: 0, neutral: 0, contradiction: 0 };
  for (const { text, probability } of chosen) {
    const label = LABELS[candidates.texts.indexOf(text)];
    if (label) probabilities[label] = probability;
  }
  const label = LABELS[candidates.texts.indexOf(chosen[0].text)] ?? 'neutral';
  return { label, probabilities };
}
