/** The package in three kinds of host, under the strictest policy that it lives with. */
import { cp, mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { test as base, expect } from '@playwright/test';
import type { ImageSource, LoadOptions, Narvl } from '../../src/index.ts';
import { buildSite, type Headers, type Kind, type Site, serve } from './hosts.ts';

/** No eval but WebAssembly's, no other origin, nothing inline; and the page isn't cross-origin isolated. */
const policy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "connect-src 'self'",
  "img-src 'self' blob: data:",
  "style-src 'self'",
  'report-uri /csp-report',
].join('; ');

declare global {
  /** host/main.js */
  var host: {
    Narvl: typeof Narvl;
    caption(image: ImageSource, options?: LoadOptions): Promise<string>;
  };
}

const built = new Map<Kind, Promise<string>>();

/** The folder of a host's page, built once for all tests. */
function siteOf(kind: Kind): Promise<string> {
  const folder = built.get(kind) ?? buildSite(kind);
  built.set(kind, folder);
  return folder;
}

const test = base.extend<{ open: (folder: string, headers?: Headers) => Promise<Site> }>({
  /** Serves a folder and opens its page; the package's script has run then. */
  open: async ({ page }, use) => {
    const sites: Site[] = [];
    await use(async (folder, headers = {}) => {
      const site = await serve(folder, headers);
      sites.push(site);
      await page.goto(site.url);
      await page.waitForFunction(() => 'host' in globalThis);
      return site;
    });
    await Promise.all(sites.map((site) => site.close()));
  },
});

/** What a caption reads like; what it says of the photo is not these tests' concern. */
const CAPTION = /^[a-z]+( [a-z]+){3,}/i;

for (const kind of ['plain', 'vite', 'webpack'] satisfies Kind[]) {
  test(`${kind}: the API captions and the widget suggests, under a strict policy`, async ({
    page,
    open,
  }) => {
    const requests: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    const site = await open(await siteOf(kind), { 'content-security-policy': policy });
    // One of them shows that the shaders are whole as they are shipped, which costs a minute.
    const where = kind === 'plain' ? 'webgpu' : 'wasm';
    const text = await page.evaluate(
      (device) => host.caption(document.images[0] as HTMLImageElement, { device }),
      { encoder: where, decoder: where } as const,
    );
    expect(requests.some((url) => url.endsWith('.wasm'))).toBe(where === 'wasm');
    expect(text).toMatch(CAPTION);
    await page.evaluate(() => {
      const element =
        '<narvl-image model="models/narvl-photo/"><img src="photo.jpg"></narvl-image>';
      document.body.insertAdjacentHTML('beforeend', element);
    });
    await expect(page.getByRole('textbox')).toHaveValue(CAPTION, { timeout: 120_000 });
    const elsewhere = requests.filter((url) => !url.startsWith(site.url) && !/^blob:/.test(url));
    expect(elsewhere).toEqual([]);
    expect(site.violations).toEqual([]);
  });
}

test('what a policy forbids is reported to these tests', async ({ page, open }) => {
  const site = await open(await siteOf('plain'), { 'content-security-policy': policy });
  await page.evaluate(() => fetch('https://elsewhere.example/').catch(() => {}));
  await expect.poll(() => site.violations.length).toBe(1);
});

test('a worker captions too, by addresses that are relative to it', async ({ page, open }) => {
  await open(await siteOf('plain'), { 'content-security-policy': policy });
  const text = await page.evaluate(
    () =>
      new Promise<string>((resolve, reject) => {
        const worker = new Worker('worker.js', { type: 'module' });
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = ({ message }) => reject(new Error(message));
      }),
  );
  expect(text).toMatch(CAPTION);
});

test("pictures of another realm are read like one's own", async ({ page, open }) => {
  await open(await siteOf('plain'), { 'content-security-policy': policy });
  const texts = await page.evaluate(async () => {
    const frame = document.body.appendChild(document.createElement('iframe'));
    const realm = frame.contentWindow as Window & typeof globalThis;
    const image = realm.document.createElement('img');
    image.src = new URL('photo.jpg', document.baseURI).href;
    await image.decode();
    const canvas = realm.document.createElement('canvas');
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    const context = canvas.getContext('2d') as CanvasRenderingContext2D;
    context.drawImage(image, 0, 0);
    const bytes = await (await fetch(image.src)).arrayBuffer();
    const sources = {
      image,
      canvas,
      data: context.getImageData(0, 0, canvas.width, canvas.height),
      bitmap: await realm.createImageBitmap(image),
      blob: new realm.Blob([bytes]),
      file: new realm.File([bytes], 'photo.jpg'),
      url: new realm.URL(image.src),
    };
    const device = { encoder: 'wasm', decoder: 'wasm' } as const;
    const narvl = await host.Narvl.load('models/narvl-photo/', { device });
    const texts: Record<string, string> = {};
    for (const [kind, source] of Object.entries(sources)) {
      if (source instanceof Blob || source instanceof HTMLElement) throw new Error('its own realm');
      texts[kind] = (await narvl.caption(source)).text;
    }
    narvl.dispose();
    return texts;
  });
  const kinds = ['bitmap', 'blob', 'canvas', 'data', 'file', 'image', 'url'];
  expect(Object.keys(texts).sort()).toEqual(kinds);
  for (const text of Object.values(texts)) expect(text).toMatch(CAPTION);
});

test('worker and WebAssembly may lie elsewhere', async ({ page, open }) => {
  const site = await siteOf('plain');
  const folder = join(site, '..', 'elsewhere');
  await cp(site, folder, { recursive: true });
  await mkdir(join(folder, 'wasm'));
  await rename(join(folder, 'narvl/narvl-worker.js'), join(folder, 'w.js'));
  for (const build of ['jspi', 'asyncify']) {
    const name = `ort-wasm-simd-threaded.${build}.wasm`;
    await rename(join(folder, 'narvl', name), join(folder, 'wasm', name));
  }
  await open(folder, { 'content-security-policy': policy });
  const text = await page.evaluate(() =>
    host.caption('photo.jpg', { workerUrl: 'w.js', wasmPaths: 'wasm' }),
  );
  expect(text).toMatch(CAPTION);
  const missed = await page.evaluate(() =>
    host.caption('photo.jpg', { workerUrl: 'w.js' }).catch(({ code, message }) => code + message),
  );
  expect(missed).toMatch(/^download-failed.*narvl\/ort-wasm-simd-threaded\.\w+\.wasm/);
});

test('an isolated page has threads, which start from the same script', async ({ page, open }) => {
  await open(await siteOf('plain'), {
    'content-security-policy': policy,
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
  });
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  expect(await page.evaluate(() => host.caption('photo.jpg'))).toMatch(CAPTION);
});
