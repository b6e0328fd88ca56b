/**
 * The shipped model's manifest, and the model with a part of it changed: in the page itself, since a
 * worker's fetch is out of a test's reach.
 */
import { vi } from 'vitest';
import type { DecoderDevice, EncoderDevice } from '../../src/index.ts';
import { parseManifest } from '../../src/model/manifest.ts';
import type { OpenRequest } from '../../src/protocol.ts';
import { Pipeline } from '../../src/worker/pipeline.ts';

const MODEL = '/models/narvl-photo/';

export const fetchManifest = async () =>
  parseManifest(await (await fetch(`${MODEL}manifest.json`)).text());

/** The shipped model with that part of its manifest changed. */
export async function openChanged(
  change: object,
  decoder: DecoderDevice,
  encoder: EncoderDevice = 'wasm',
): Promise<Pipeline> {
  const manifest = { ...(await fetchManifest()), ...change };
  const { fetch } = globalThis;
  vi.stubGlobal('fetch', (url: string, init?: RequestInit) =>
    url.endsWith('/manifest.json') ? Promise.resolve(Response.json(manifest)) : fetch(url, init),
  );
  const request = { url: new URL(MODEL, location.href).href, device: { encoder, decoder } };
  return Pipeline.open(request as OpenRequest, () => {}).finally(vi.unstubAllGlobals);
}
