/** Where the time went: a bar of stages with their milliseconds, and what the pass cost the GPU. */
import type { Caption, Timings } from '../index.ts';
import { make } from './dom.ts';
import { count, deviceNames, milliseconds } from './format.ts';

type Stages = readonly (readonly [Exclude<keyof Timings, 'total'>, string])[];

/** Vision, fusion and decoder are told apart only where they are not one submit. */
function stagesOf({ network }: Timings): Stages {
  const between: Stages =
    network > 0
      ? [['network', 'Network, in one submit']]
      : [
          ['vision', 'Vision'],
          ['fusion', 'Fusion'],
          ['decoder', 'Decoder'],
        ];
  return [['image', 'Image'], ['preprocess', 'Preprocess'], ...between, ['search', 'Search']];
}

/** The bar is for the eye; the list below it says the same in words. */
function createBar(timings: Timings): HTMLElement {
  const segments = stagesOf(timings).map(([stage]) => {
    const segment = make('span', { 'data-stage': stage });
    segment.style.setProperty('flex-grow', String(timings[stage]));
    return segment;
  });
  return make('div', { class: 'bar', 'aria-hidden': 'true' }, ...segments);
}

/** A term with its value in a description list. */
function entry(term: string, value: string, stage?: string): HTMLElement {
  return make(
    'div',
    stage ? { 'data-stage': stage } : {},
    make('dt', {}, term),
    make('dd', {}, value),
  );
}

export function createTimings({ timings, device, cost }: Caption): HTMLElement {
  const { encoder, decoder } = deviceNames(device);
  const facts = [
    entry('Encoder', encoder),
    entry('Decoder', decoder),
    ...(device.adapter ? [entry('Adapter', device.adapter)] : []),
    entry(
      'Pass',
      [
        count(cost.dispatches, 'dispatch', 'dispatches'),
        count(cost.submits, 'submit'),
        `${count(cost.bytesRead, 'byte')} read back`,
      ].join(', '),
    ),
  ];
  return make(
    'section',
    { class: 'timings', 'aria-label': 'Time and device' },
    createBar(timings),
    make(
      'dl',
      { class: 'stages' },
      ...stagesOf(timings).map(([stage, name]) => entry(name, milliseconds(timings[stage]), stage)),
      entry('Total', milliseconds(timings.total), 'total'),
    ),
    make('dl', { class: 'facts' }, ...facts),
  );
}
