import { describe, expect, it } from 'vitest';
import { gather } from './announcer.ts';

const many = (count: number) => `${count} suggested`;

describe('gather', () => {
  it('says a single message word for word', () => {
    expect(gather([{ text: 'A dog', many }])).toBe('A dog');
    expect(gather([])).toBe('');
  });

  it('counts what comes together, and loses nothing else', () => {
    const messages = [
      { text: 'A dog', many },
      { text: 'Failed: no network' },
      { text: 'A cat', many },
      { text: 'Failed: no picture' },
    ];
    expect(gather(messages)).toBe('2 suggested. Failed: no network. Failed: no picture');
  });
});
