/** A day's tables, and their place among others. */
import { expect, test } from 'vitest';
import { dayTable, takeInto } from './markdown.ts';
import type { Day } from './results.ts';

const adapter = (description: string, software: boolean) => ({
  adapter: { vendor: 'acme', architecture: 'one', description, software },
  features: ['shader-f16', 'subgroups'],
  limits: {},
});

const part = (name: string, data: unknown) => ({ name, state: 'done', seconds: 3, data }) as const;

const day: Day = {
  format: 1,
  begun: '2026-11-29T20:00:00.000Z',
  commit: 'abc',
  machine: { processor: 'CPU', cores: 16, node: 'v20', nvidia: 'Big GPU, 580, 1 MiB' },
  stages: [
    {
      name: 'adapter',
      parts: [part('first', adapter('CPU', true)), part('second', adapter('Big', false))],
    },
    {
      name: 'kernels',
      parts: [
        part('linear', { tests: [{ name: 'x', state: 'passed', milliseconds: 3 }] }),
        {
          name: 'score',
          state: 'timed out',
          seconds: 80,
          reason: 'cut off after 80 s',
          data: {
            tests: [{ name: 'y', state: 'failed', milliseconds: 3, message: 'a | b\nand more' }],
            running: 'z',
          },
        },
      ],
    },
    {
      name: 'tuning',
      parts: [part('tuning', { chosen: '16 bits', milliseconds: { '16 bits': 1, '32 bits': 2 } })],
    },
    {
      name: 'paper',
      parts: [{ name: 'paper', state: 'not run', seconds: 0, reason: 'no time was left' }],
    },
  ],
};

test('what was done and what was not stands under the name of the GPU', () => {
  const { adapter, markdown } = dayTable(day);
  expect(adapter).toBe('acme one Big');
  expect(markdown).toContain('## A day with acme one Big\n');
  expect(markdown).toContain('| kernels | 83 | 1 done, 1 timed out: cut off after 80 s |');
  expect(markdown).toContain('| linear | 1 | 0 | 3 |  |');
  expect(markdown).toContain(
    '| score | 0 | 1 | 80 | cut off after 80 s; in z; y: a / b and more |',
  );
  expect(markdown).toContain('| **16 bits** | 1.00 |');
  expect(markdown).toContain('| paper | 0 | not run: no time was left |');
  expect(() => dayTable({ ...day, stages: [] })).toThrow('found no adapter');
});

test('a day is taken once, beside those of other adapters', () => {
  const first = { adapter: 'A', markdown: 'one' };
  const second = { adapter: 'B', markdown: 'two' };
  const both = takeInto(takeInto('# Benchmarks\n', first), second);
  const again = takeInto(both, { ...first, markdown: 'one, again' });
  expect(again).toBe(both.replace('\none\n', '\none, again\n'));
  expect(again).toMatch(/^# Benchmarks\n\n<!-- gpu-day: A -->\n/);
  expect(() => takeInto(both.replace('<!-- gpu-day: A -->', ''), first)).toThrow('got one of them');
});
