/** What is lost when a worker or its GPU is: nothing. `npm run faults` does it at random moments. */
import { afterEach, expect, it, vi } from 'vitest';
import { Narvl } from '../../src/index.ts';
import { hookWorkers, inject } from '../faults/faults.ts';
import { jpeg } from './images.ts';

afterEach(() => vi.restoreAllMocks());

it('a lost worker has its photos sent to the next one, its looks looked again, and after three the GPU is given up', async () => {
  // The losses lie within a minute, however busy the machine is.
  vi.spyOn(performance, 'now').mockReturnValue(0);
  const unhook = hookWorkers();
  const narvl = await Narvl.load('/models/narvl-photo/');
  try {
    const file = await jpeg(160, 120, 7);
    const { text, device } = await narvl.caption(file);
    expect(device.decoder).toBe('webgpu');
    expect(device).not.toHaveProperty('fallback');
    const look = await narvl.look(file);
    for (const kind of ['throw', 'destroy', 'throw'] as const) {
      const asked = [narvl.caption(file), look.caption()];
      inject({ kind, at: 'now', passes: 0 });
      for (const caption of await Promise.all(asked)) expect(caption.text).toBe(text);
    }
    const after = await look.caption();
    expect(after.text).toBe(text);
    expect(after.device).toMatchObject({
      encoder: 'wasm',
      decoder: 'wasm',
      adapter: '',
      fallback: expect.stringMatching(/^3 workers were lost within 60 seconds/),
    });
    expect(narvl.info.device).toEqual(after.device);
  } finally {
    narvl.dispose();
    unhook();
  }
});

it('a worker that is gone without a word is found by its silence, and costs no call', async () => {
  // Longer than a load is silent on a busy machine.
  const patience = 60_000;
  const unhook = hookWorkers();
  const narvl = await Narvl.load('/models/narvl-photo/', { patience });
  try {
    const file = await jpeg(160, 120, 7);
    const { text } = await narvl.caption(file);
    const look = await narvl.look(file);
    const start = performance.now();
    const asked = [narvl.caption(file), look.caption()];
    inject({ kind: 'kill', at: 'submit', passes: 0 });
    for (const caption of await Promise.all(asked)) expect(caption.text).toBe(text);
    expect(performance.now() - start).toBeGreaterThan(patience);
    expect((await look.caption()).text).toBe(text);
  } finally {
    narvl.dispose();
    unhook();
  }
});
