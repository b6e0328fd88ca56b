import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { excessOf, SOFT_LENGTH, toAlt } from './alt.ts';

describe('toAlt', () => {
  it('is one line with a capital', () => {
    expect(toAlt('  a dog\n runs  on\tgrass ')).toBe('A dog runs on grass');
    expect(toAlt('öl auf wasser')).toBe('Öl auf wasser');
    expect(toAlt(' \n ')).toBe('');
  });

  it('keeps every word, and what is done already', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const words = (line: string) => line.toLowerCase().split(/\s+/).filter(Boolean);
        expect(words(toAlt(text))).toEqual(words(text));
        expect(toAlt(toAlt(text))).toBe(toAlt(text));
      }),
    );
  });
});

describe('excessOf', () => {
  it('counts characters past the soft target as a reader would', () => {
    expect(excessOf('a'.repeat(SOFT_LENGTH))).toBe(0);
    expect(excessOf(`  ${'a'.repeat(SOFT_LENGTH)}  `)).toBe(0);
    expect(excessOf('a'.repeat(SOFT_LENGTH + 3))).toBe(3);
    expect(excessOf('🐕'.repeat(SOFT_LENGTH))).toBe(0);
  });
});
