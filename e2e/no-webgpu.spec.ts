/** The page in a browser that has no WebGPU. */
import { expect } from '@playwright/test';
import { chromiumOptions } from './chromium.ts';
import { cards, expectCaption, ready, test } from './demo-page.ts';

const { args, ...options } = chromiumOptions();
const withoutGpu = args.filter((arg) => !arg.includes('webgpu'));

test.use({
  launchOptions: { ...options, args: [...withoutGpu, '--disable-features=WebGPU'] },
});

test('says in a sentence that there is no WebGPU, and writes captions all the same', async ({
  page,
}) => {
  await page.goto('./');
  await expect(page.locator('#no-webgpu')).toContainText('has no WebGPU');
  await ready(page);
  await page.locator('#samples').getByRole('button').first().click();
  await expectCaption(cards(page).first());
  await expect(cards(page).first()).toContainText('DecoderCPU (wasm)');
});
