/** The line of the load bench: it is as slow as it says, compresses, and sends nothing that has not changed. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serveBehind } from './server.ts';

let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'narvl-line-'));
  await mkdir(join(folder, 'assets'));
  await writeFile(join(folder, 'model.bin'), Buffer.alloc(100_000, 1));
  await writeFile(join(folder, 'assets', 'script.js'), '// again and again\n'.repeat(5000));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

test('two files together take as long as the line says, and come whole', async () => {
  const server = await serveBehind(folder, { mbit: 8, delay: 10 });
  try {
    const begun = performance.now();
    const bodies = await Promise.all(
      [1, 2].map(async (visit) => (await fetch(`${server.url}model.bin?${visit}`)).arrayBuffer()),
    );
    // 200,000 bytes at a million a second, and the delay.
    expect(performance.now() - begun).toBeGreaterThanOrEqual(200);
    for (const body of bodies)
      expect(new Uint8Array(body)).toEqual(new Uint8Array(100_000).fill(1));
    expect(server.sent()).toBe(200_000);
  } finally {
    await server.close();
  }
});

test('scripts are compressed and kept, models are asked for again, and nothing is outside', async () => {
  const server = await serveBehind(folder, { mbit: 1000, delay: 0 });
  try {
    const script = await fetch(`${server.url}assets/script.js`);
    expect(script.headers.get('content-encoding')).toBe('gzip');
    expect(script.headers.get('cache-control')).toContain('immutable');
    expect(await script.text()).toHaveLength(19 * 5000);
    expect(server.sent()).toBeLessThan(5000);
    const model = await fetch(`${server.url}model.bin`);
    await model.arrayBuffer();
    expect(model.headers.get('cache-control')).toBe('no-cache');
    const before = server.sent();
    const etag = model.headers.get('etag') ?? '';
    const again = await fetch(`${server.url}model.bin`, { headers: { 'if-none-match': etag } });
    expect(again.status).toBe(304);
    expect(server.sent()).toBe(before);
    for (const path of ['nothing.js', '..%2F..%2Fetc%2Fpasswd', 'assets']) {
      expect((await fetch(server.url + path)).status).toBe(404);
    }
  } finally {
    await server.close();
  }
});
