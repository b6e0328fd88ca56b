/** The page after its first visit: from a folder deep in a server that is gone, and as an app. */
import { expect, test } from '@playwright/test';
import { preview } from 'vite';
import { cards, expectCaption, patience, ready } from './demo-page.ts';

const port = 5189;
const folder = '/deep/in/a/server/';
const address = `http://localhost:${port}${folder}`;

test.use({ serviceWorkers: 'allow' });

const serve = () => preview({ base: folder, preview: { port, strictPort: true } });

test('after the first visit the page works without its server, from a sub-path too', async ({
  page,
}) => {
  const elsewhere: string[] = [];
  page.context().on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(address) && !/^(blob|data):/.test(url)) elsewhere.push(url);
  });
  const server = await serve();
  try {
    await page.goto(address);
    await expect(page.locator('#model-why')).toContainText('once, and is kept');
    await ready(page);
    await expect(page.locator('#model-why')).toBeHidden();
    await expect(page.locator('#offline')).toBeVisible(patience);
  } finally {
    await server.close();
  }

  await page.goto('about:blank');
  await page.goto(address);
  await ready(page);
  await page.locator('#samples').getByRole('button').first().click();
  await expectCaption(cards(page).first());
  for (const image of await page.locator('#samples img').all()) {
    expect(await image.evaluate((img: HTMLImageElement) => img.naturalWidth)).toBeGreaterThan(0);
  }
  expect(elsewhere).toEqual([]);
  // Of onnxruntime's two builds, twenty megabytes each, it keeps the one that it takes, where it takes one.
  const kept = await page.evaluate(async () => {
    const names = (await caches.keys()).filter((name) => name.startsWith('narvl-page '));
    const cache = await caches.open(names[0] ?? '');
    return { names, files: (await cache.keys()).map(({ url }) => url) };
  });
  expect(kept.names).toHaveLength(1);
  expect(kept.files.filter((url) => url.endsWith('.wasm'))).toHaveLength(1);
  expect(kept.files.some((url) => /models|bench|transformers/.test(url))).toBe(false);
});

test('the browser finds nothing missing to install the page as an app', async ({ page }) => {
  await page.goto('./');
  const session = await page.context().newCDPSession(page);
  const { errors, url } = await session.send('Page.getAppManifest');
  expect(url).toMatch(/\/manifest\.webmanifest$/);
  expect(errors).toEqual([]);
  const { installabilityErrors } = await session.send('Page.getInstallabilityErrors');
  // Tests run as a guest's, who installs nothing.
  const own = installabilityErrors.filter(({ errorId }) => errorId !== 'in-incognito');
  expect(own).toEqual([]);
});
