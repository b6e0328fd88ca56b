/** The demo page for its tests: what every one of them watches for, and what they look for on it. */
import { AxeBuilder } from '@axe-core/playwright';
import { test as base, expect, type Locator, type Page } from '@playwright/test';

/** What the page must be able to live under; nothing in it is inline, evaluated or from elsewhere. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "connect-src 'self'",
  "manifest-src 'self'",
].join('; ');

export const test = base.extend<{ complaints: string[] }>({
  /** What the browser's console holds against the page, and requests to anywhere else. */
  complaints: [
    async ({ page, baseURL }, use) => {
      const complaints: string[] = [];
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(message.text());
      });
      page.on('request', (request) => {
        const url = request.url();
        const own = url.startsWith(baseURL ?? '') || /^(blob|data):/.test(url);
        if (!own) complaints.push(`request to ${url}`);
      });
      await page.route(/\.js$|\/(\?.*)?$/, async (route) => {
        const response = await route.fetch();
        const headers = { ...response.headers(), 'content-security-policy': contentSecurityPolicy };
        await route.fulfill({ response, headers });
      });
      await use(complaints);
      expect(complaints).toEqual([]);
    },
    { auto: true },
  ],
});

/** Long enough to load a model, or to caption, on a busy machine that renders in software. */
export const patience = { timeout: 240_000 };

export const ready = (page: Page) =>
  expect(page.getByText(/^Ready\. Encoder on/)).toBeVisible(patience);

export const cards = (page: Page) => page.getByRole('article');

/** The card has a caption and the whole strip that it came from. */
export async function expectCaption(card: Locator): Promise<void> {
  await expect(card.locator('.caption')).toHaveText(/\S/, patience);
  const slots = card.getByRole('region', { name: 'The 32 slots' });
  await expect(slots.getByRole('listitem')).toHaveCount(32);
}

/** The field for questions about a card's photo. */
export const askField = (card: Locator) =>
  card.getByRole('textbox', { name: 'Ask about this photo' });

/** What was asked about a card's photo, the latest first. */
export const asked = (card: Locator) => card.locator('.asked').getByRole('listitem');

/** The item has an answer, or says that there is none; which, is the model's own affair. */
export async function expectAnswer(item: Locator, question: string): Promise<void> {
  await expect(item.locator('.answer')).toHaveText(/\S/, patience);
  await expect(item.locator('.question')).toHaveText(question);
  await expect(item).toContainText(/Confidence \d+%/);
}

/** A picture of a sun over a hill as the bytes of a PNG, drawn by the page itself. */
export async function drawPhoto(page: Page, sky: string): Promise<Buffer> {
  const bytes = await page.evaluate(async (fill) => {
    const canvas = new OffscreenCanvas(320, 240);
    const context = canvas.getContext('2d');
    if (!context) throw new Error('Expected a 2D context');
    context.fillStyle = fill;
    context.fillRect(0, 0, 320, 240);
    context.fillStyle = 'gold';
    context.arc(230, 70, 30, 0, 2 * Math.PI);
    context.fill();
    context.fillStyle = 'darkgreen';
    context.fillRect(0, 170, 320, 70);
    const blob = await canvas.convertToBlob({ type: 'image/png' });
    return [...new Uint8Array(await blob.arrayBuffer())];
  }, sky);
  return Buffer.from(bytes);
}

export const png = (name: string, buffer: Buffer) => ({ name, mimeType: 'image/png', buffer });

/**
 * Axe finds nothing to object to and nothing is wider than the screen, in light and dark, wide and narrow.
 * With NARVL_SHOTS=FOLDER in the environment each of the four is also kept as a picture, from `view` on.
 */
export async function expectAccessible(page: Page, view: Locator, name: string): Promise<void> {
  const shots = process.env.NARVL_SHOTS;
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [1280, 390]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 844 });
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations).toEqual([]);
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect(overflow).toBe(0);
      if (!shots) continue;
      await view.evaluate((element) => element.scrollIntoView({ block: 'start' }));
      await page.screenshot({ path: `${shots}/${name}-${colorScheme}-${width}.png` });
    }
  }
}
