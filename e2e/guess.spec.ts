/** What the page makes of captions that the model is not sure of. */
import { expect, type Page } from '@playwright/test';
import {
  cards,
  drawPhoto,
  expectAccessible,
  expectCaption,
  patience,
  png,
  test,
} from './demo-page.ts';

/** Let every caption be of this confidence, by the curve of the model's manifest. */
async function calibrate(page: Page, confidence: number): Promise<void> {
  await page.route('**/manifest.json', async (route) => {
    const response = await route.fetch();
    const manifest = await response.json();
    manifest.tasks.caption.calibration.curve = [
      [-2, confidence],
      [0, confidence],
    ];
    await route.fulfill({ json: manifest });
  });
}

const others = (page: Page) =>
  page.getByRole('region', { name: 'What else it may be' }).getByRole('button');

test.use({ reducedMotion: 'reduce' });

test('an unsure caption is called a guess, on its card and in the table, with what else it may be', async ({
  page,
  context,
}) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await calibrate(page, 0.2);
  await page.goto('./');
  await page.locator('#samples').getByRole('button').first().click();
  await expectCaption(cards(page).first());
  await expect(cards(page).first()).toContainText('A guess');
  await expect(cards(page).first()).toContainText('Not sure. Confidence 20%');
  await expect(page.getByRole('log')).toContainText(/Chelsea: a guess: \S/);
  expect(await others(page).count()).toBeGreaterThan(0);
  const other = await others(page).first().textContent();
  expect(other).not.toBe(await cards(page).first().getByRole('img').getAttribute('alt'));
  await others(page).first().click();
  await expect(others(page).first()).toHaveText('Copied');
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(other);

  const bytes = await drawPhoto(page, 'skyblue');
  const many = Array.from({ length: 13 }, (_, i) => png(`${i}.png`, bytes));
  await page.locator('#files').setInputFiles(many);
  const row = page.locator('#folder-rows').getByRole('row').first();
  await expect(row).toContainText('Guess, 20%', patience);
  const take = row.getByRole('button').first();
  const text = (await take.textContent()) ?? '';
  await expectAccessible(page, cards(page).first(), 'guess');
  await take.press('Enter');
  await expect(row.getByRole('textbox')).toHaveValue(text);
  await expect(row.getByRole('textbox')).toBeFocused();
  await expect(row).toContainText('Yours');
  await expect(row.getByRole('button')).toHaveCount(0);
});

test('a sure caption is no guess', async ({ page }) => {
  await calibrate(page, 0.9);
  await page.goto('./');
  await page.locator('#samples').getByRole('button').first().click();
  await expectCaption(cards(page).first());
  await expect(cards(page).first()).toContainText('Confidence 90%');
  await expect(cards(page).first()).not.toContainText('guess');
  await expect(others(page)).toHaveCount(0);
});
