/** What a bin shares with those near it. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bestBox } from './box.ts';
import { nearTable } from './near.ts';

/** The table of [slots, 2 + bins] probabilities. */
function tableOf(rows: readonly (readonly number[])[]) {
  const tokens = Uint32Array.from({ length: rows[0]?.length ?? 0 }, (_, i) =>
    i < 2 ? 2 * i : 8 + i,
  );
  return { tokens, logProbs: Float32Array.from(rows.flat(), Math.log) };
}

test("slots keep their bins' sum, the blank and the end what they have", () => {
  const probability = fc.double({ min: 1e-6, max: 0.1, noNaN: true });
  const row = fc.array(probability, { minLength: 9, maxLength: 9 });
  fc.assert(
    fc.property(row, fc.double({ min: 0.3, max: 9, noNaN: true }), (numbers, spread) => {
      const found = Array.from(nearTable(tableOf([numbers, numbers]), spread).logProbs, Math.exp);
      const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
      for (const slot of [found.slice(0, 9), found.slice(9)]) {
        expect(sum(slot.slice(2))).toBeCloseTo(sum(numbers.slice(2)), 5);
        expect(slot[0]).toBeCloseTo(numbers[0] ?? 0, 6);
        expect(slot[1]).toBeCloseTo(numbers[1] ?? 0, 6);
      }
    }),
  );
});

test('is the Gaussian that training/writing/pointing.py has', () => {
  // python -c "from training.writing.pointing import near; import torch; print(near(torch.tensor([0.1, 0.0, 0.7, 0.2]), 1.5))"
  const table = tableOf([[1, 1, 0.1, 1e-30, 0.7, 0.2]]);
  const found = Array.from(nearTable(table, 1.5).logProbs.subarray(2), Math.exp);
  [0.149661, 0.255203, 0.318103, 0.277032].forEach((p, bin) => {
    expect(found[bin]).toBeCloseTo(p, 5);
  });
});

test('without a spread the table is the same', () => {
  const table = tableOf([[0.1, 0.1, 0.3, 0.5]]);
  expect(nearTable(table, 0)).toBe(table);
});

test('a box is where edges are likely rather than where one bin is likeliest', () => {
  const bins = 14;
  /** A slot of three bins side by side, or of one, far from them, that alone has most. */
  const edge = (middle: number, alone: number) => {
    const row = Array.from({ length: bins }, () => 0.001);
    for (const bin of [middle - 1, middle, middle + 1]) row[bin] = 0.2;
    row[alone] = 0.3;
    return [0.01, 0.01, ...row];
  };
  const end = [0.01, 0.9, ...Array.from({ length: bins }, () => 0.001)];
  const table = tableOf([edge(2, 5), edge(3, 6), edge(10, 7), edge(8, 11), end, end, end]);
  expect(bestBox(table).bins).toEqual([5, 6, 7, 11]);
  expect(bestBox(nearTable(table, 1)).bins).toEqual([2, 3, 10, 8]);
});
