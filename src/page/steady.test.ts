/** The steady text: still on what flickers, quick on a cut, and never restless. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { STEADINESS, Steady } from './steady.ts';

const { drift, threshold, dwell } = STEADINESS;

interface Frame {
  readonly said: string;
  readonly lead: number;
  /** Milliseconds since the frame before. */
  readonly took: number;
}

const anyLead = fc.oneof(fc.double({ min: -50, max: 100, noNaN: true }), fc.constant(Infinity));

const frame: fc.Arbitrary<Frame> = fc.record({
  said: fc.constantFrom('a cat', 'a dog', 'a puppy', 'a dog on grass'),
  lead: anyLead,
  took: fc.integer({ min: 1, max: 700 }),
});

/** When the text changed after the first frame, and at which of the frames. */
function changesOf(frames: readonly Frame[]): { at: number; frame: number }[] {
  const steady = new Steady();
  steady.observe('a cat', 0, 0);
  let now = 0;
  return frames.flatMap(({ said, lead, took }, i) => {
    now += took;
    return steady.observe(said, lead, now) ? [{ at: now, frame: i }] : [];
  });
}

describe('a steady text', () => {
  it('is the first frame’s, without waiting', () => {
    const steady = new Steady();
    expect(steady.text).toBeUndefined();
    expect(steady.observe('a dog', 0, 0)).toBe(true);
    expect(steady.text).toBe('a dog');
  });

  it('changes at most once a dwell, whatever the frames say', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 200 }), (frames) => {
        const moments = [0, ...changesOf(frames).map(({ at }) => at)];
        for (const [i, at] of moments.slice(1).entries()) {
          expect(at - (moments[i] ?? 0)).toBeGreaterThanOrEqual(dwell);
        }
      }),
    );
  });

  it('never changes for leads that noise explains, however long they last', () => {
    const noise = fc.double({ min: -20, max: drift, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(frame, noise), { maxLength: 200 }), (frames) => {
        expect(changesOf(frames.map(([given, lead]) => ({ ...given, lead })))).toEqual([]);
      }),
    );
  });

  it('gives way to a lasting lead, after as many frames as it is small', () => {
    const lead = fc.double({ min: drift + 0.1, max: drift + threshold / 2, noNaN: true });
    fc.assert(
      fc.property(lead, (lead) => {
        const frames = new Array<Frame>(200).fill({ said: 'a dog', lead, took: dwell });
        const [first] = changesOf(frames);
        expect(first?.frame).toBeGreaterThanOrEqual(threshold / (lead - drift) - 1.001);
        expect(first?.frame).toBeLessThanOrEqual(threshold / (lead - drift) + 1e-6);
      }),
    );
  });

  it('follows a cut with its second frame, whatever two texts those say', () => {
    const far = fc.oneof(
      fc.double({ min: drift + threshold / 2, max: 1e3, noNaN: true }),
      fc.constant(Infinity),
    );
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 20 }), far, far, (before, one, two) => {
        const steady = new Steady();
        let now = 0;
        for (const { said, lead, took } of before) {
          now += took;
          steady.observe(said, lead, now);
        }
        steady.observe('a street', one, now + dwell);
        expect(steady.observe('a street at night', two, now + dwell + 1)).toBe(
          steady.text === 'a street at night',
        );
        expect(['a street', 'a street at night']).toContain(steady.text);
      }),
    );
  });

  it('is not taken in by one odd frame, or by some that are not in a row', () => {
    const odd = { said: 'a dog', lead: Infinity, took: dwell };
    const own = { said: 'a cat', lead: 0, took: dwell };
    expect(changesOf([odd, own, odd, own, odd])).toEqual([]);
    expect(changesOf([odd, odd])).toEqual([{ at: 2 * dwell, frame: 1 }]);
  });
});
