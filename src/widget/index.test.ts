import { describe, expect, it } from 'vitest';

describe('the widget', () => {
  it('can be imported where there is no DOM, as on a server that renders pages', async () => {
    expect(globalThis.HTMLElement).toBeUndefined();
    const { NarvlImage } = await import('./index.ts');
    expect(NarvlImage.observedAttributes).toContain('model');
  });
});
