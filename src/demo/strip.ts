/** The alignment strip: what each of the N query slots chose, all in one pass. */
import type { AlignmentSlot, SlotRole } from '../index.ts';
import { make } from './dom.ts';
import { count, percent } from './format.ts';

/** A strip with the elements that the collapse moves. */
export interface Strip {
  readonly element: HTMLElement;
  readonly replay: HTMLButtonElement;
  /** The token of every slot. */
  readonly tokens: readonly HTMLElement[];
  /** Of the slots that became the sentence, in order. */
  readonly words: readonly HTMLElement[];
  /** The slots that the collapse takes out. */
  readonly dropped: readonly HTMLElement[];
}

/** Blank slots and the end have no text of their own; what comes after the end is not read. */
const marks: Partial<Record<SlotRole, string>> = { blank: '–', after: '–', end: 'end' };

const spoken: Record<SlotRole, string> = {
  word: 'kept',
  blank: 'blank',
  repeat: 'repeat',
  end: 'end of sentence',
  after: 'after the end',
};

/** A slot's frame and the token in it. */
interface Frame {
  readonly role: SlotRole;
  readonly item: HTMLLIElement;
  readonly token: HTMLElement;
}

/** Draw a slot as a frame of the strip; its bar is as long as its token is likely. */
function createFrame({ text, probability, role }: AlignmentSlot): Frame {
  const said = `${spoken[role]}, ${percent(probability)}`;
  const mark = marks[role];
  const token = make('span', { class: 'token' }, mark ?? text.trim());
  if (mark) token.setAttribute('aria-hidden', 'true');
  const item = make(
    'li',
    { class: 'slot', 'data-role': role, title: mark ? said : `${text.trim()}: ${said}` },
    token,
    make('span', { class: 'visually-hidden' }, ` ${said}`),
  );
  item.style.setProperty('--probability', String(probability));
  return { role, item, token };
}

/** `12 kept · 17 blank · 2 repeats merged · 1 after the end` */
function summarise(slots: readonly AlignmentSlot[]): string {
  const of = (role: SlotRole) => slots.filter((slot) => slot.role === role).length;
  const parts = [`${of('word')} kept`, `${of('blank')} blank`];
  if (of('repeat') > 0) parts.push(`${count(of('repeat'), 'repeat')} merged`);
  if (of('after') > 0) parts.push(`${of('after')} after the end`);
  return parts.join(' · ');
}

/** Draw the strip of a caption. */
export function createStrip(slots: readonly AlignmentSlot[]): Strip {
  const frames = slots.map(createFrame);
  const replay = make('button', { type: 'button', class: 'quiet' }, 'Replay');
  const element = make(
    'section',
    { class: 'strip', 'aria-label': `The ${slots.length} slots` },
    make(
      'header',
      { class: 'strip-head' },
      make('h4', {}, `${count(slots.length, 'slot')}, one pass`),
      make('p', {}, summarise(slots)),
      replay,
    ),
    // A list without bullets is still one to Safari's reader only if it is told so.
    make('ol', { class: 'slots', role: 'list' }, ...frames.map(({ item }) => item)),
  );
  return {
    element,
    replay,
    tokens: frames.map(({ token }) => token),
    words: frames.filter(({ role }) => role === 'word').map(({ token }) => token),
    dropped: frames.filter(({ role }) => role !== 'word').map(({ item }) => item),
  };
}
