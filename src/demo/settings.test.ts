/** The address says which devices to use, and says nothing of what is automatic. */
import { describe, expect, it } from 'vitest';
import { readChoice, writeChoice } from './settings.ts';

describe('readChoice', () => {
  it('reads both halves', () => {
    expect(readChoice(new URLSearchParams('encoder=wasm&decoder=wasm'))).toEqual({
      encoder: 'wasm',
      decoder: 'wasm',
    });
  });

  it('leaves to auto what is missing or unknown', () => {
    expect(readChoice(new URLSearchParams('encoder=abacus'))).toEqual({
      encoder: undefined,
      decoder: undefined,
    });
  });
});

describe('writeChoice', () => {
  it('keeps what else is in the address', () => {
    const params = new URLSearchParams('lang=en&decoder=wasm');
    expect(writeChoice({ encoder: 'webgpu' }, params).toString()).toBe('lang=en&encoder=webgpu');
  });
});
