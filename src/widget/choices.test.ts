import { describe, expect, it } from 'vitest';
import { Choices } from './choices.ts';

const choices = (text: string, ...others: string[]) =>
  new Choices({ text, alternatives: others.map((other) => ({ text: other, probability: 0.1 })) });

describe('Choices', () => {
  it('goes round, each text once', () => {
    const ring = choices('a dog', 'a cat', 'A dog', 'two dogs');
    expect(ring.count).toBe(3);
    const seen = [ring.current];
    for (let i = 0; i < 3; i++) seen.push(ring.next(ring.current));
    expect(seen).toEqual(['A dog', 'A cat', 'Two dogs', 'A dog']);
  });

  it('keeps what its user made of a text', () => {
    const ring = choices('a dog', 'a cat');
    expect(ring.next('My dog Rex')).toBe('A cat');
    expect(ring.next('A cat')).toBe('My dog Rex');
  });

  it('has nothing to offer where the model said nothing', () => {
    const ring = choices('');
    expect(ring.count).toBe(0);
    expect(ring.current).toBe('');
    expect(ring.next('typed')).toBe('typed');
    expect(new Choices({ text: 'a dog' }).count).toBe(1);
  });
});
