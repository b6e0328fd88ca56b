/** Questions in the form that training gave them; the first cases are those of test_data.py. */
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { fillPrompt, normalise, readText } from './text.ts';

test.each([
  ['A dog , running on the way .', 'a dog, running on the way'],
  ['The sign says " stop " !', 'the sign says stop'],
  ["The boy 's dog’s ball.", "the boy's dog's ball"],
  ['What colour is the bus?', 'what colour is the bus'],
  ['  what\tis\n\nthis ?! ', 'what is this'],
  ["'' Where `` is ''it''", 'where is it'],
  ['the traffic_light_', 'the traffic light'],
  ["'tis - or is it -", 'tis - or is it'],
  ['no\u00a0break, \u3000wide', 'no break, wide'],
  ['ÇA VA ?', 'ça va'],
  ['-?!', ''],
  ['', ''],
])('normalise(%j) is %j', (text, normal) => {
  expect(normalise(text)).toBe(normal);
});

// Python's white space has the four separators and not the byte order mark; JavaScript's is the
// other way round.
test('white space is what Python takes for it', () => {
  expect(normalise('a\u001cb\u0085c')).toBe('a b c');
  expect(normalise('a\ufeffb')).toBe('a\ufeffb');
});

/** Texts of the characters that a rule is about, and some others. */
const texts = fc.string({
  unit: fc.oneof(fc.constantFrom(...`aZ .,;:!?-'’"\`_\n\u00a0`), fc.string({ maxLength: 1 })),
});

test('what is normal stays so, but for apostrophes that meet', () => {
  fc.assert(
    fc.property(texts, (text) => {
      const once = normalise(text);
      // Two that are brought together read as a quotation mark the next time.
      fc.pre(!once.includes("''"));
      expect(normalise(once)).toBe(once);
    }),
    { seed: 1, numRuns: 2000 },
  );
});

describe('readText', () => {
  it('gives the normal form', () => {
    expect(readText('What is this?', 'a question')).toBe('what is this');
  });

  it.each([
    ['?!', 'Expected a question with words in it, got "?!"'],
    ['', 'Expected a question with words in it, got ""'],
    ['a'.repeat(1001), 'Expected a question of at most 1000 characters, got 1001'],
    [42, 'Expected a question as text, got number'],
    [null, 'Expected a question as text, got null'],
    [undefined, 'Expected a question as text, got undefined'],
  ])('refuses %j', (question, message) => {
    expect(() => readText(question, 'a question')).toThrow(
      expect.objectContaining({ code: 'invalid-argument', message }),
    );
  });
});

test('fillPrompt puts a text in its place, whatever it says', () => {
  expect(fillPrompt('where is {}?', 'the red dog')).toBe('where is the red dog?');
  expect(fillPrompt('is {} here', '$& {}')).toBe('is $& {} here');
});
