/** What a visitor can ask of a photo, and how each way of asking reads on the page. */
import type { Answer, Entailed, Located, ModelInfo } from '../index.ts';

/** A question, where something is, or whether a statement is true. */
export type AskKind = 'answer' | 'locate' | 'entail';

/** What was asked. */
export interface Asked {
  readonly kind: AskKind;
  readonly text: string;
}

/** What became of it. */
export type Found = Answer | Located | Entailed;

/** How a way of asking reads. */
export interface Way {
  /** Where the ways are chosen among. */
  readonly name: string;
  /** Of its field. */
  readonly label: string;
  readonly placeholder: string;
  readonly button: string;
}

export const ways: Readonly<Record<AskKind, Way>> = {
  answer: { name: 'Question', label: 'Ask about this photo', placeholder: '', button: 'Ask' },
  locate: {
    name: 'Where is …?',
    label: 'Find in this photo',
    placeholder: 'the dog on the left',
    button: 'Find',
  },
  entail: {
    name: 'Is it true?',
    label: 'Say something of this photo',
    placeholder: 'Two people are outdoors.',
    button: 'Check',
  },
};

/** The ways in which a model can be asked. */
export function waysOf({
  answers,
  locates,
  entails,
}: Pick<ModelInfo, 'answers' | 'locates' | 'entails'>): AskKind[] {
  return [
    ...(answers ? (['answer'] as const) : []),
    ...(locates ? (['locate'] as const) : []),
    ...(entails ? (['entail'] as const) : []),
  ];
}

/** The thing that `Where is the dog?` asks for, which may also be named alone. */
export function thingOf(text: string): string {
  return text.replace(/^\s*where(?:\s+(?:is|are)|['’]s)\s+/i, '').replace(/\s*\?\s*$/, '');
}

/** What was asked, as it stands above what was found. */
export function questionOf({ kind, text }: Asked): string {
  return kind === 'locate' ? `Where is ${text}?` : text;
}
