/** Two hundred texts that nobody should ask, phrase or propose: each is read, or refused in a sentence. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readCandidates } from '../decode/candidates.ts';
import { NarvlError } from '../errors.ts';
import { seededRandom } from '../testing/random.ts';
import { findCaptionTask, parseManifest, wordCount } from './manifest.ts';
import { readQuestion } from './question.ts';
import { fillPrompt, PLACE, readText } from './text.ts';
import { Tokenizer } from './tokenizer.ts';

const folder = new URL('../../public/models/narvl-photo/', import.meta.url);
const manifest = parseManifest(readFileSync(new URL('manifest.json', folder), 'utf8'));
const words = wordCount(manifest);
const tokenizer = new Tokenizer(
  new Uint8Array(readFileSync(new URL('tokenizer.json', folder))).buffer,
  words,
);
const { length, pad } = manifest.prompt;

/** What is put into texts: marks that turn lines around, control characters, halves of pairs, markup. */
const SPICES = [
  ...['\u202e', '\u2066', '\u2069', '\u200b', '\u200d', '\ufeff', '\0', '\x1b[31m', '\x7f', '\r\n'],
  ...[
    '\ud800',
    '\udc00',
    '\u0301'.repeat(40),
    '😀',
    '<script>alert(1)</script>',
    "'; drop table",
    '{}',
  ],
  ...['$1', '%s%n', '../../etc/passwd', '<eos>', '<pad>', '[CLS]', '$&', '\\u0000', '__proto__'],
] as const;

const PLAIN = ['how many zebras are there', 'is it a dog?', 'what', '', 'a red bus at a stop'];

const LONG = [1001, 10_000, 1_000_000].flatMap((count) =>
  ['a', 'a ', '\u202e', '\u0301', 'ﷺ', '"', '._'].map((part) =>
    part.repeat(Math.ceil(count / part.length)),
  ),
);

const random = seededRandom(7);
const pick = <T>(of: readonly T[]) => of[Math.floor(random() * of.length)] as T;

/** A plain text with spices at random places. */
function spiced(): string {
  let text = pick(PLAIN);
  for (let i = 0; i < 1 + random() * 3; i++) {
    const at = Math.floor(random() * (text.length + 1));
    text = text.slice(0, at) + pick(SPICES) + text.slice(at);
  }
  return text;
}

/** Not texts at all, some of which pretend to be. */
const PRETENDERS: readonly unknown[] = [
  null,
  Number.NaN,
  Symbol('what'),
  ['what', 'is', 'this'],
  Object.create(null),
  Object.create(String.prototype),
  new String('what is this'),
  { toString: () => 'what is this', length: 3 },
  new Proxy({}, { get: () => 'what is this' }),
  () => 'what is this',
];

const texts: readonly unknown[] = [
  ...SPICES,
  ...LONG,
  ...PRETENDERS,
  ...Array.from({ length: 200 }, spiced),
];

/** What `read` gives, or the error, which has to be a typed one in a sentence of bearable length. */
function outcome<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    expect(error).toBeInstanceOf(NarvlError);
    expect(error).toMatchObject({ code: 'invalid-argument' });
    expect((error as NarvlError).message.length).toBeLessThan(800);
    return undefined;
  }
}

test('each of more than 200 texts is read into known tokens, or refused', () => {
  expect(texts.length).toBeGreaterThan(200);
  let read = 0;
  for (const text of texts) {
    const question = outcome(() => readQuestion(text, tokenizer, length));
    const phrase = outcome(() => readText(text, 'a phrase'));
    const candidates = outcome(() => readCandidates([text, 'no such text'], tokenizer));
    for (const said of [question, phrase]) {
      if (said === undefined) continue;
      read++;
      const prompt = outcome(() => tokenizer.encodePrompt(said, length, pad));
      for (const id of prompt?.ids ?? []) {
        expect(id).toBeGreaterThanOrEqual(0);
        expect(id).toBeLessThan(words);
      }
    }
    for (const ids of candidates?.tokens ?? []) {
      for (const id of ids) expect(id).toBeLessThan(words);
    }
  }
  expect(read).toBeGreaterThan(50);
});

test('a text goes into a prompt as it is, whatever replacements mean by it', () => {
  for (const text of ['$&', "$'", '$1', PLACE, '\\', '$$']) {
    expect(fillPrompt(`where is ${PLACE}?`, text)).toBe(`where is ${text}?`);
  }
});

test('a million characters are refused before they are looked at', () => {
  const start = performance.now();
  for (const text of LONG) outcome(() => readQuestion(text, tokenizer, length));
  // Of minutes, were they normalised.
  expect(performance.now() - start).toBeLessThan(10_000);
});

test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', ''])(
  'a task is one of the manifest, and nothing that every object has: %j',
  (name) => {
    expect(() => findCaptionTask(manifest, name)).toThrow(
      expect.objectContaining({ code: 'invalid-argument' }),
    );
  },
);
