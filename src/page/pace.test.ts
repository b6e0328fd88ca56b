/** The rate of moments: exact when they are even, blind to what lies before a restart. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Pace } from './pace.ts';

describe('a pace', () => {
  it('is that of even moments, however many came', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 2, max: 40 }), (gap, n) => {
        const pace = new Pace();
        const rates = Array.from({ length: n }, (_, i) => pace.beat(1e6 + i * gap));
        expect(rates[0]).toBe(0);
        for (const rate of rates.slice(1)) expect(rate).toBeCloseTo(1000 / gap, 6);
      }),
    );
  });

  it('forgets a slow start, and a pause that it is told of', () => {
    const pace = new Pace();
    pace.beat(0);
    for (let i = 0; i < 12; i++) pace.beat(9000 + 100 * i);
    expect(pace.beat(10_200)).toBeCloseTo(10);
    pace.restart();
    expect(pace.beat(90_000)).toBe(0);
    expect(pace.beat(90_050)).toBeCloseTo(20);
  });
});
