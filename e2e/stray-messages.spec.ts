/** Messages that are not for the model: the page listens to its own worker alone. */
import { expect } from '@playwright/test';
import { cards, expectCaption, ready, test } from './demo-page.ts';

/** Methods of the worker, asked for as Comlink asks. */
const METHODS = ['open', 'caption', 'ask', 'forget', 'abort', 'memory'];

test("messages to the page's window change nothing and have no answer", async ({ page }) => {
  await page.goto('./');
  await ready(page);
  await page.evaluate((methods) => {
    const heard: unknown[] = [];
    Object.assign(globalThis, { heard });
    addEventListener('message', ({ data }) => heard.push(data));
    for (const method of methods) {
      window.postMessage({ id: method, type: 'APPLY', path: [method], argumentList: [] }, '*');
    }
  }, METHODS);
  await page.locator('#samples').getByRole('button').first().click();
  await expectCaption(cards(page).first());
  const heard = await page.evaluate(() => Reflect.get(globalThis, 'heard'));
  expect(heard).toHaveLength(METHODS.length); // Its own, and no answer.
});
