/** What became of what was asked: an answer, a place or a verdict, as it stands below its question. */
import { type Entailed, type EntailmentLabel, isGuess } from '../index.ts';
import type { Found } from './asking.ts';
import { make } from './dom.ts';
import { confidence, percent, sentence } from './format.ts';
import { placeOf } from './place.ts';

/** As text for the announcer, and as elements. */
export interface Shown {
  readonly text: string;
  readonly elements: readonly HTMLElement[];
}

const verdicts: Readonly<Record<EntailmentLabel, string>> = {
  entailment: 'True',
  neutral: 'Perhaps',
  contradiction: 'Not true',
};

export function showFound(found: Found): Shown {
  if ('edges' in found) return withConfidence(placeOf(found.edges), found.confidence);
  if ('label' in found) return showVerdict(found);
  if (found.text !== '') return withConfidence(sentence(found.text), found.confidence);
  const text = 'All slots stayed blank: no answer';
  const empty = make('p', { class: 'answer answer-empty' }, text);
  return { text, elements: [empty, sureness(found.confidence)] };
}

function withConfidence(text: string, sure: number): Shown {
  return { text, elements: [make('p', { class: 'answer' }, text), sureness(sure)] };
}

function sureness(probability: number): HTMLElement {
  return make('p', { class: 'confidence' }, confidence(probability, 'answer'));
}

function showVerdict({ label, probabilities }: Entailed): Shown {
  const rows = (Object.keys(verdicts) as EntailmentLabel[]).map((one) => {
    const share = make('span', { class: 'share', 'aria-hidden': 'true' });
    share.style.setProperty('--share', String(probabilities[one]));
    return make(
      'div',
      {},
      make('dt', {}, verdicts[one]),
      share,
      make('dd', {}, percent(probabilities[one])),
    );
  });
  const text = verdicts[label];
  const answer = make('p', { class: 'answer' }, text);
  const shares = make('dl', { class: 'shares' }, ...rows);
  if (!isGuess(probabilities[label], 'answer')) return { text, elements: [answer, shares] };
  const guess = make('p', { class: 'confidence' }, 'Not sure.');
  return { text: `${text}. Not sure.`, elements: [answer, guess, shares] };
}
