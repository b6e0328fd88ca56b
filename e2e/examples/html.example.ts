/**
 * Plain HTML under a strict policy: what stands on the page, by eye and by axe. With `SCREENSHOTS=1` it
 * also takes the pictures of docs/widget.md.
 */
import { AxeBuilder } from '@axe-core/playwright';
import { expect, type Page, test } from '@playwright/test';
import type { NarvlImage } from '../../src/widget/index.ts';
import { copyOf, policy, run, type Site, serve } from './example.ts';

// One page for all: a model is loaded once.
test.describe.configure({ mode: 'serial' });

/** To load a model, or to caption, on a busy machine that renders in software. */
const patience = { timeout: 150_000 };

let site: Site;
let remove: () => Promise<void>;
let page: Page;
/** What the browser has against the page, and requests to anywhere else. */
const complaints: string[] = [];

test.beforeAll(async ({ browser }) => {
  const example = await copyOf('html');
  remove = example.remove;
  await run('node', ['build.js'], { cwd: example.folder });
  site = await serve(example.folder, { headers: { 'content-security-policy': policy } });
  const context = await browser.newContext({ viewport: { width: 520, height: 900 } });
  page = await context.newPage();
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(site.url) && !/^(blob|data):/.test(url)) complaints.push(url);
  });
  await page.goto(site.url);
});

test.afterAll(async () => {
  await page.context().close();
  await site.close();
  await remove();
});

/** The first element of the page, and its panel. */
const element = () => page.locator('narvl-image').first();
const panel = () => element().locator('[part=panel]');

test('suggests a text', async () => {
  await expect(element().getByRole('textbox')).toHaveValue(/\S/, patience);
  await expect(page.getByRole('status')).toHaveCount(1);
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`has no fault that axe finds, ${colorScheme}`, async () => {
    await page.emulateMedia({ colorScheme });
    const ground = await panel().evaluate((node) => getComputedStyle(node).backgroundColor);
    expect(ground).toBe(colorScheme === 'light' ? 'rgb(245, 247, 248)' : 'rgb(14, 29, 45)');
    if (process.env.SCREENSHOTS) {
      await element().screenshot({ path: `docs/screenshots/widget-${colorScheme}.png` });
    }
    const { violations } = await new AxeBuilder({ page })
      // That these pictures lack a text is why there is a panel.
      .disableRules('image-alt')
      .analyze();
    expect(violations).toEqual([]);
  });
}

test('keeps its lines in forced colours, its calm where it is wanted, and its side in Arabic', async () => {
  await page.emulateMedia({ colorScheme: 'light', forcedColors: 'active' });
  const { border, text, ground } = await panel().evaluate((node) => {
    const { borderTopColor, color, backgroundColor } = getComputedStyle(node);
    return { border: borderTopColor, text: color, ground: backgroundColor };
  });
  expect(border).toBe(text);
  expect(border).not.toBe(ground);
  await page.emulateMedia({ forcedColors: 'none' });

  const motion = () =>
    panel()
      .locator('[part=bar]')
      .evaluate((bar) => getComputedStyle(bar).animationName);
  await page.emulateMedia({ reducedMotion: 'no-preference' });
  expect(await motion()).toBe('slide');
  await page.emulateMedia({ reducedMotion: 'reduce' });
  expect(await motion()).toBe('none');

  const html = page.locator('html');
  await html.evaluate((root) => root.setAttribute('dir', 'rtl'));
  const use = await panel().getByRole('button', { name: 'Use' }).boundingBox();
  const box = await panel().boundingBox();
  if (!use || !box) throw new Error('Expected a button in a panel');
  // The first control stands at the right edge.
  expect(box.x + box.width - (use.x + use.width)).toBeLessThan(use.x - box.x);
  await html.evaluate((root) => root.removeAttribute('dir'));
});

test('fills in, answers, and describes what lacks a text, within its policy', async () => {
  await panel().getByRole('button', { name: 'Use' }).click();
  await expect(element().locator('img')).toHaveAttribute('alt', /\S/);

  const filled = page.locator('narvl-image[mode=fill]');
  await filled.scrollIntoViewIfNeeded();
  await expect
    .poll(() => filled.evaluate((node) => (node as NarvlImage).state), patience)
    .toMatch(/^(filled|unsure)$/);

  const asked = page.locator('narvl-image[question]');
  await asked.scrollIntoViewIfNeeded();
  await expect(asked.getByRole('textbox', { name: 'What is on the table?' })).toHaveValue(
    /\S/,
    patience,
  );

  await page.getByRole('button', { name: 'Describe what lacks a text' }).click();
  await expect(page.getByRole('button', { name: '1 of 1 described' })).toBeVisible(patience);
  const texts = await page
    .locator('#gallery img')
    .evaluateAll((images) => images.map((image) => image.getAttribute('alt')));
  expect(texts).toEqual([null, 'Chelsea, a tabby cat', '']);
  await expect(page.locator('#gallery narvl-image')).toHaveCount(1);
  expect(complaints).toEqual([]);
});
