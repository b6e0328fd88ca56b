/** The race on the built demo: both decoders really run, on the visitor's device. */
import { expect, type Page } from '@playwright/test';
import { chromiumOptions } from './chromium.ts';
import { cards, expectAccessible, expectCaption, patience, test } from './demo-page.ts';

test.setTimeout(400_000);

const verdict = (page: Page) => page.locator('#race-status');

test('the last photo is raced over: both lanes end with its caption, each with its own time', async ({
  page,
}) => {
  await page.goto('./');
  const sample = page.locator('#samples').getByRole('button').first();
  await sample.click();
  await expectCaption(cards(page).first());
  const caption = cards(page).first().locator('.caption');
  await expect(page.locator('#race-photo-name')).not.toHaveText('a sample');

  await page.getByRole('button', { name: 'Start the race' }).click();
  await expect(page.locator('#race-other-text')).toHaveText(/\S/, patience);
  const first = await page.locator('#race-other-text').textContent();
  await expect(verdict(page)).toContainText(/One pass took [\d,.]+ ms, word after word/, patience);
  const said = (await caption.textContent())?.toLowerCase();
  for (const lane of ['one', 'other']) {
    const text = await page.locator(`#race-${lane}-text`).textContent();
    expect(text?.toLowerCase()).toBe(said);
    const clock = page.locator(`#race-${lane}-clock`);
    await expect(clock).toHaveAttribute('data-finished');
    await expect(verdict(page)).toContainText((await clock.textContent()) ?? '');
  }
  expect(said?.startsWith(first?.toLowerCase() ?? '-')).toBe(true);
  await expect(page.getByRole('button', { name: 'Race again' })).toBeEnabled();

  await page.emulateMedia({ reducedMotion: 'reduce' });
  await expectAccessible(page, page.locator('#race'), 'race');
});

test('where there is no GPU to race on, the page says so', async ({ playwright, baseURL }) => {
  const { args, ...options } = chromiumOptions();
  const without = args.filter((arg) => !/webgpu/i.test(arg));
  const browser = await playwright.chromium.launch({ ...options, args: without });
  try {
    const page = await browser.newPage();
    await page.goto(baseURL ?? '');
    await page.getByRole('button', { name: 'Start the race' }).click();
    await expect(verdict(page)).toContainText(/There is no race: .*WebGPU/, patience);
    await expect(page.getByRole('button', { name: 'Race again' })).toBeEnabled();
  } finally {
    await browser.close();
  }
});
