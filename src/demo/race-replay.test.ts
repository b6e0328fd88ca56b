/** The replay of a race shows what was measured, at a speed that it tells. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { at, duration, slowdown } from './race-replay.ts';

const time = fc.double({ min: 0.01, max: 1e5, noNaN: true });

/** Any race: as many steps as pieces, and one for the end. */
const race = fc
  .tuple(time, fc.array(time, { minLength: 1, maxLength: 33 }))
  .map(([onePass, gaps]) => {
    let now = 0;
    const steps = gaps.map((gap) => (now += gap));
    return { pieces: steps.slice(1).map((_, i) => ` w${i}`), onePass, steps };
  });

describe('a replay', () => {
  it('begins with nothing and ends with the same text in both lanes, each at its own time', () => {
    fc.assert(
      fc.property(race, (raced) => {
        const start = at(raced, 0);
        expect([start.one.text, start.other.text]).toEqual(['', '']);
        const { one, other } = at(raced, duration(raced));
        expect(one).toEqual({
          text: raced.pieces.join('').trim(),
          clock: raced.onePass,
          finished: true,
        });
        expect(other).toEqual({ ...one, clock: raced.steps.at(-1) });
      }),
    );
  });

  it('has the whole text at once in one lane, and a word a step in the other', () => {
    const raced = { pieces: [' a', ' dog', 's'], onePass: 25, steps: [10, 20, 30, 40] };
    expect(at(raced, 24)).toEqual({
      one: { text: '', clock: 24, finished: false },
      other: { text: 'a dog', clock: 24, finished: false },
    });
    expect(at(raced, 35)).toEqual({
      one: { text: 'a dogs', clock: 25, finished: true },
      other: { text: 'a dogs', clock: 35, finished: false },
    });
  });

  it('is slow enough to be seen, by a round number, and never sped up', () => {
    fc.assert(
      fc.property(race, (raced) => {
        const slower = slowdown(raced);
        const shown = slower * duration(raced);
        expect(shown).toBeGreaterThanOrEqual(2999);
        if (slower > 1) expect(shown).toBeLessThanOrEqual(7501);
        expect(`${Number(slower.toPrecision(1))}`).toBe(`${Number(slower.toPrecision(12))}`);
      }),
    );
    expect(slowdown({ pieces: [], onePass: 4, steps: [60] })).toBe(50);
    expect(slowdown({ pieces: [], onePass: 400, steps: [9000] })).toBe(1);
  });
});
