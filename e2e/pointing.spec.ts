/** Pointing and judging on the demo page: boxes are drawn over the photo, verdicts have their shares. */
import { expect, type Locator, type Page } from '@playwright/test';
import { asked, cards, expectAccessible, expectCaption, patience, test } from './demo-page.ts';

/** The first sample with its caption. */
async function openSample(page: Page): Promise<Locator> {
  await page.goto('./');
  await page.locator('#samples').getByRole('button').first().click();
  const card = cards(page).first();
  await expectCaption(card);
  return card;
}

/** Asks in the way that is chosen, and waits for what is found. */
async function ask(card: Locator, text: string): Promise<Locator> {
  const field = card.getByRole('textbox');
  await field.fill(text);
  await field.press('Enter');
  const item = asked(card).first();
  await expect(item.locator('.answer')).toHaveText(/\S/, patience);
  return item;
}

async function boundsOf(locator: Locator) {
  const bounds = await locator.boundingBox();
  if (!bounds) throw new Error('Expected it to be on the page');
  return bounds;
}

test('what is asked for gets its box over the photo, one at a time', async ({ page }) => {
  const card = await openSample(page);
  await card.getByRole('radio', { name: 'Question' }).focus();
  await page.keyboard.press('ArrowDown');
  await expect(card.getByRole('radio', { name: 'Where is …?' })).toBeChecked();
  await expect(card.getByRole('textbox', { name: 'Find in this photo' })).toBeVisible();

  const boat = await ask(card, 'Where is the boat?');
  await expect(boat.locator('.question')).toHaveText('Where is the boat?');
  await expect(boat.locator('.answer')).toHaveText(/^(At the|In the middle).*\d% of the photo$/);
  await expect(boat).toContainText(/Confidence \d+%/);
  const box = card.locator('.found');
  await expect(box).toHaveText('the boat');
  await expect(page.getByRole('log')).toContainText(/Where is the boat\? (At|In) the/);

  const [photo, found] = [await boundsOf(card.getByRole('img')), await boundsOf(box)];
  expect(found.x).toBeGreaterThanOrEqual(photo.x - 1);
  expect(found.y).toBeGreaterThanOrEqual(photo.y - 1);
  expect(found.x + found.width).toBeLessThanOrEqual(photo.x + photo.width + 1);
  expect(found.y + found.height).toBeLessThanOrEqual(photo.y + photo.height + 1);
  const share = (100 * found.width * found.height) / (photo.width * photo.height);
  const said = (await boat.locator('.answer').textContent())?.match(/(\d+)% of/)?.[1];
  expect(Math.abs(share - Number(said))).toBeLessThan(2);

  const river = await ask(card, 'the river');
  await expect(box).toHaveText('the river');
  const [ofRiver, ofBoat] = [river, asked(card).nth(1)].map((item) =>
    item.getByRole('button', { name: 'Show on the photo' }),
  );
  await expect(ofRiver as Locator).toHaveAttribute('aria-pressed', 'true');
  await expect(ofBoat as Locator).toHaveAttribute('aria-pressed', 'false');
  await ofBoat?.press('Enter');
  await expect(box).toHaveText('the boat');
  await expect(ofRiver as Locator).toHaveAttribute('aria-pressed', 'false');
  await ofBoat?.press('Enter');
  await expect(box).toBeHidden();

  await card.getByRole('textbox').fill('?!');
  await page.keyboard.press('Enter');
  await expect(asked(card).first()).toContainText('Expected a phrase with words in it', patience);
  await expect(card.getByRole('textbox')).toHaveValue('?!');
});

test.describe('without motion', () => {
  test.use({ reducedMotion: 'reduce' });

  test('a statement is judged, and axe finds nothing to object to', async ({ page }) => {
    const card = await openSample(page);
    await card.getByRole('radio', { name: 'Where is …?' }).check();
    await ask(card, 'the boat');
    await card.getByRole('radio', { name: 'Is it true?' }).check();
    const item = await ask(card, 'A boat is on the water.');
    await expect(item.locator('.question')).toHaveText('A boat is on the water.');
    await expect(item.locator('.answer')).toHaveText(/^(True|Perhaps|Not true)$/);
    await expect(item.getByRole('term')).toHaveText(['True', 'Perhaps', 'Not true']);
    const shares = (await item.getByRole('definition').allTextContents()).map((text) =>
      Number(text.replace('%', '')),
    );
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeGreaterThan(97);
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeLessThan(103);
    const verdict = await item.locator('.answer').textContent();
    const most = ['True', 'Perhaps', 'Not true'][shares.indexOf(Math.max(...shares))];
    expect(verdict).toBe(most);
    const isGuess = Math.max(...shares) < 50;
    await expect(item.getByText('Not sure.')).toHaveCount(isGuess ? 1 : 0);

    await card.getByRole('radio', { name: 'Question' }).check();
    const answer = await ask(card, 'What is this?');
    await expect(answer).toContainText(/Confidence \d+%/);
    await expectAccessible(page, card, 'pointing');
  });
});
