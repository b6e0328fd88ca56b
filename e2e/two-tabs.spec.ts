/** Two tabs of one browser, of which one is behind the other: both are served, and either may be closed. */
import { expect, type Page } from '@playwright/test';
import { cards, expectCaption, patience, ready, test } from './demo-page.ts';

const PHOTOS = 3;

async function askForSamples(tab: Page): Promise<void> {
  const samples = tab.locator('#samples').getByRole('button');
  for (let i = 0; i < PHOTOS; i++) await samples.nth(i).click();
}

/** The captions that a tab has by now. */
const captionsOf = (tab: Page) => tab.locator('article .caption').filter({ hasText: /\S/ });

/** Asks for the captions of the samples, and waits for them. */
async function captionSamples(tab: Page): Promise<string[]> {
  await askForSamples(tab);
  await expect(captionsOf(tab)).toHaveCount(PHOTOS, patience);
  return captionsOf(tab).allInnerTexts();
}

test('load and caption at once, and say the same', async ({ page, context }) => {
  const other = await context.newPage();
  await Promise.all([page.goto('./'), other.goto('./')]);
  await Promise.all([ready(page), ready(other)]);
  const [here, there] = await Promise.all([captionSamples(page), captionSamples(other)]);
  expect(here).toEqual(there);

  // One is closed while both are at work.
  for (const tab of [page, other]) await tab.reload();
  await Promise.all([ready(page), ready(other)]);
  for (const tab of [other, page]) {
    await tab.locator('#samples').getByRole('button').first().click();
  }
  await other.close();
  await expectCaption(cards(page).first());
});

test('take turns: neither has all its captions before the other has any', async ({
  page,
  context,
}) => {
  const other = await context.newPage();
  const tabs = [page, other];
  await Promise.all(tabs.map((tab) => tab.goto('./')));
  await Promise.all(tabs.map(ready));
  await Promise.all(tabs.map(askForSamples));
  const atEnd = tabs.map(async (tab, i) => {
    await expect(captionsOf(tab)).toHaveCount(PHOTOS, patience);
    return captionsOf(tabs[1 - i] as Page).count();
  });
  const othersThen = await Promise.race(atEnd);
  expect(othersThen).toBeGreaterThan(0);
  await Promise.all(atEnd);
});
