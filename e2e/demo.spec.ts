/** The demo page as a visitor meets it: built, served, with a real model on a real WebGPU device. */
import { expect } from '@playwright/test';
import {
  asked,
  askField,
  cards,
  drawPhoto,
  expectAccessible,
  expectAnswer,
  expectCaption,
  patience,
  png,
  ready,
  test,
} from './demo-page.ts';

declare global {
  interface Window {
    /** Kept by the test that watches object URLs come and go. */
    liveObjectUrls?: Set<string>;
    /** Kept by the test that lets workers fail. */
    workers?: Worker[];
    /** Kept by the same: what new workers die of at once. */
    fatal?: string | undefined;
    /** Animations begun, kept by the test of the collapse. */
    played?: number;
  }
}

test('a sample photo gets its caption, its 32 slots and an account of the pass', async ({
  page,
}) => {
  await page.goto('./');
  await ready(page);
  await page.locator('#samples').getByRole('button').first().click();

  const card = cards(page).first();
  await expectCaption(card);
  const facts = card.getByRole('region', { name: 'Time and device' });
  for (const stage of ['Image', 'Preprocess', 'Vision', 'Fusion', 'Decoder', 'Search', 'Total']) {
    await expect(facts.getByRole('term').filter({ hasText: stage }).first()).toBeVisible();
  }
  await expect(facts).toContainText('EncoderCPU (wasm)');
  await expect(facts).toContainText('DecoderGPU (WebGPU)');
  await expect(facts).toContainText('1 submit');
  await expect(page.getByRole('log')).toContainText(/Chelsea: \S/);
});

test('a word shows on the photo where it looked, by pointer and by keyboard', async ({ page }) => {
  await page.goto('./');
  await ready(page);
  await page.locator('#files').setInputFiles(png('hill.png', await drawPhoto(page, 'skyblue')));
  const card = cards(page).first();
  await expectCaption(card);
  const light = card.locator('.light');
  /** How dark each cell of the photo is. */
  const shades = () =>
    light.evaluate((canvas: HTMLCanvasElement) => {
      const { width, height } = canvas;
      const image = canvas.getContext('2d')?.getImageData(0, 0, width, height);
      return Array.from(image?.data ?? []).filter((_, i) => i % 4 === 3);
    });
  await expect(light).not.toHaveClass(/on/);
  const words = card.getByRole('region', { name: 'Where each word looked' }).getByRole('button');
  const caption = (await card.locator('.caption').textContent())?.toLowerCase();
  expect((await words.allTextContents()).join(' ')).toBe(caption);

  await words.last().click();
  await expect(words.last()).toHaveAttribute('aria-pressed', 'true');
  await page.mouse.move(0, 0);
  await expect(light).toHaveClass(/on/);
  const last = await shades();
  const manifest = await page.request.get('models/narvl-photo/manifest.json');
  expect(last).toHaveLength((await manifest.json()).features.rows);
  expect(Math.min(...last)).toBe(0);
  expect(Math.max(...last)).toBeGreaterThan(0);
  await words.first().focus();
  expect(await shades()).not.toEqual(last);
  await words.first().blur();
  expect(await shades()).toEqual(last);
  await words.last().click();
  await page.mouse.move(0, 0);
  await expect(words.last()).toHaveAttribute('aria-pressed', 'false');
  await words.last().blur();
  await expect(light).not.toHaveClass(/on/);
  await card.locator('.caption .word').first().hover();
  await expect(light).toHaveClass(/on/);
});

test('of three files the bad one shows its error and the others their captions', async ({
  page,
}) => {
  await page.goto('./');
  // Given at once, while the model still loads.
  await page
    .locator('#files')
    .setInputFiles([
      png('dawn.png', await drawPhoto(page, 'lightpink')),
      png('notes.png', Buffer.from('This is no picture at all.')),
      png('noon.png', await drawPhoto(page, 'skyblue')),
    ]);
  await expect(cards(page)).toHaveCount(3);
  await expect(cards(page).locator('h3')).toHaveText(['dawn.png', 'notes.png', 'noon.png']);
  await expectCaption(cards(page).nth(0));
  await expect(cards(page).nth(1)).toContainText('unsupported-image');
  await expectCaption(cards(page).nth(2));
});

test('photos can be pasted and dropped, and cleared away without a trace', async ({
  page,
  context,
}) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.addInitScript(() => {
    // Every object URL keeps its photo in memory until it is revoked.
    const live = new Set<string>();
    const { createObjectURL, revokeObjectURL } = URL;
    URL.createObjectURL = (object) => {
      const url = createObjectURL.call(URL, object);
      live.add(url);
      return url;
    };
    URL.revokeObjectURL = (url) => {
      live.delete(url);
      revokeObjectURL.call(URL, url);
    };
    window.liveObjectUrls = live;
  });
  await page.goto('./');
  await ready(page);

  const photo = await drawPhoto(page, 'skyblue');
  await page.evaluate(
    async (bytes) => {
      const blob = new Blob([new Uint8Array(bytes)], { type: 'image/png' });
      await navigator.clipboard.write([new ClipboardItem({ 'image/png': blob })]);
    },
    [...photo],
  );
  await page.keyboard.press('ControlOrMeta+V');
  await expect(cards(page)).toHaveCount(1);
  await expectCaption(cards(page).first());

  const transfer = await page.evaluateHandle(
    (bytes) => {
      const data = new DataTransfer();
      data.items.add(new File([new Uint8Array(bytes)], 'dropped.png', { type: 'image/png' }));
      return data;
    },
    [...photo],
  );
  await page.dispatchEvent('body', 'dragover', { dataTransfer: transfer });
  await expect(page.locator('#sheet')).toHaveAttribute('data-over');
  await page.dispatchEvent('body', 'drop', { dataTransfer: transfer });
  await expect(cards(page).locator('h3').first()).toHaveText('dropped.png');
  await expectCaption(cards(page).first());

  await page.getByRole('button', { name: 'Clear all' }).click();
  await expect(cards(page)).toHaveCount(0);
  const live = await page.evaluate(() => window.liveObjectUrls?.size);
  expect(live).toBe(0);
});

test('a caption is copied as a sentence', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.goto('./');
  await page.locator('#samples').getByRole('button').nth(1).click();
  const card = cards(page).first();
  await expectCaption(card);
  await card.getByRole('button', { name: 'Copy as alt text' }).click();
  await expect(card.getByRole('button', { name: 'Copied' })).toBeVisible();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(copied).toBe(await card.getByRole('img').getAttribute('alt'));
  expect(copied.charAt(0)).toBe(copied.charAt(0).toUpperCase());
});

test('everything is within reach of the keyboard', async ({ page }) => {
  await page.goto('./');
  await ready(page);
  const reached: string[] = [];
  const stops = ['encoder', 'decoder', 'choose', 'choose-folder', 'camera', 'film', 'first sample'];
  for (const _ of stops) {
    await page.keyboard.press('Tab');
    reached.push(
      await page.evaluate(() => {
        const focused = document.activeElement;
        return focused?.getAttribute('name') ?? focused?.id ?? '';
      }),
    );
  }
  expect(reached.slice(0, 4)).toEqual(['encoder', 'decoder', 'choose', 'choose-folder']);
  await page.keyboard.press('Enter');
  await expectCaption(cards(page).first());

  await cards(page)
    .first()
    .getByRole('button', { name: /^Remove/ })
    .press('Enter');
  await expect(cards(page)).toHaveCount(0);
  await expect(page.getByRole('button', { name: 'Choose photos' })).toBeFocused();
});

test('the device is taken from the address, and can be changed while a photo waits', async ({
  page,
}) => {
  await page.goto('./?encoder=wasm&decoder=wasm');
  await expect(page.locator('input[name=decoder][value=wasm]')).toBeChecked();
  await ready(page);
  await page.locator('#samples').getByRole('button').first().click();
  await page.locator('input[name=decoder][value=webgpu]').check();
  await expect(page).toHaveURL(/\?encoder=wasm&decoder=webgpu$/);
  await expectCaption(cards(page).first());
  await page.locator('input[name=decoder][value=wasm]').check();
  await ready(page);
  await page.locator('#samples').getByRole('button').first().click();
  await expectCaption(cards(page).first());
  await expect(cards(page).first()).toContainText('DecoderCPU (wasm)');
});

test('questions about a photo are answered below it, the latest first, from the keyboard', async ({
  page,
}) => {
  await page.goto('./');
  await page.locator('#samples').getByRole('button').first().click();
  const card = cards(page).first();
  await expect(askField(card)).toHaveCount(0);
  await expectCaption(card);
  await askField(card).focus();
  await page.keyboard.press('Enter'); // Nothing to ask yet.
  await expect(asked(card)).toHaveCount(0);

  await page.keyboard.type('What is this?');
  await page.keyboard.press('Enter');
  await expect(askField(card)).toHaveValue('');
  await expect(askField(card)).toBeFocused();
  await page.keyboard.type('How many boats <b>are</b> there?');
  await page.keyboard.press('Tab');
  await expect(card.getByRole('button', { name: 'Ask', exact: true })).toBeFocused();
  await page.keyboard.press('Enter');

  await expect(asked(card)).toHaveCount(2);
  await expectAnswer(asked(card).nth(0), 'How many boats <b>are</b> there?');
  await expectAnswer(asked(card).nth(1), 'What is this?');
  await expect(page.getByRole('log')).toContainText(/What is this\? \S/);
  await expect(page.getByRole('log')).toContainText(/boats <b>are<\/b> there\? \S/);

  // Another device is another model: it looks again. A card that goes takes its questions with it.
  await page.locator('input[name=decoder][value=wasm]').check();
  await askField(card).fill('And on the other device?');
  await page.keyboard.press('Enter');
  await expectAnswer(asked(card).first(), 'And on the other device?');
  await askField(card).fill('Is anyone there?');
  await page.keyboard.press('Enter');
  await card.getByRole('button', { name: /^Remove/ }).click();
  await expect(cards(page)).toHaveCount(0);
});

test('a question is answered before photos that wait', async ({ page }) => {
  await page.goto('./');
  await page.locator('#samples').getByRole('button').first().click();
  const card = cards(page).first();
  await expectCaption(card);
  await askField(card).fill('What is this?');
  const bytes = await drawPhoto(page, 'skyblue');
  const waiting = Array.from({ length: 6 }, (_, i) => png(`${i}.png`, bytes));
  await page.locator('#files').setInputFiles(waiting);
  await expect(cards(page)).toHaveCount(7);
  await cards(page).last().getByRole('button', { name: 'Ask', exact: true }).click();

  await expectAnswer(asked(cards(page).last()).first(), 'What is this?');
  await expect(cards(page).nth(5)).toHaveAttribute('aria-busy', 'true');
  await expectCaption(cards(page).nth(5));
});

/** Runs in the page: its workers can be ended, and die at once while `fatal` says what of. */
function keepWorkers(): void {
  const workers: Worker[] = [];
  window.workers = workers;
  window.Worker = class extends Worker {
    constructor(...given: ConstructorParameters<typeof Worker>) {
      super(...given);
      workers.push(this);
      const message = window.fatal;
      if (message) setTimeout(() => this.dispatchEvent(new ErrorEvent('error', { message })));
    }
  };
}

test('a question that fails says why in its place, and can be mended or tried again', async ({
  page,
}) => {
  await page.addInitScript(keepWorkers);
  await page.goto('./');
  await page.locator('#samples').getByRole('button').first().click();
  const card = cards(page).first();
  await expectCaption(card);

  await askField(card).fill('?!');
  await page.keyboard.press('Enter');
  await expect(asked(card).first()).toContainText('invalid-argument', patience);
  await expect(asked(card).first()).toContainText('Expected a question with words in it');
  await expect(askField(card)).toHaveValue('?!');
  await expect(page.getByRole('log')).toContainText(/\?! Expected a question/);

  await askField(card).fill('Is it raining?');
  // In one go, or the answer may be there before the worker is gone. So is the one that replaces it.
  await askField(card).evaluate((input: HTMLInputElement) => {
    input.form?.requestSubmit();
    window.fatal = 'out of memory';
    window.workers?.at(-1)?.dispatchEvent(new ErrorEvent('error', { message: window.fatal }));
  });
  await expect(asked(card).first()).toContainText('worker-failed');
  await page.evaluate(() => {
    window.fatal = undefined;
  });
  await asked(card).first().getByRole('button', { name: 'Try again' }).press('Enter');
  await expect(askField(card)).toBeFocused();
  await expectAnswer(asked(card).first(), 'Is it raining?');
  await expect(asked(card)).toHaveCount(2);
});

test('a worker that dies is replaced, and one that cannot be is tried again on request', async ({
  page,
}) => {
  await page.addInitScript(keepWorkers);
  const die = () =>
    page.evaluate(() => {
      window.workers?.at(-1)?.dispatchEvent(new ErrorEvent('error', { message: 'out of memory' }));
    });
  await page.goto('./');
  const sample = page.locator('#samples').getByRole('button').first();
  await expect(page.locator('#model')).toContainText('Ready', patience);

  // In one go, or the caption may be there before the worker is gone.
  await sample.evaluate((button: HTMLElement) => button.click());
  await die();
  await expectCaption(cards(page).first());
  await expect(page.locator('#model')).toContainText('Ready');

  await die();
  await page.route('**/manifest.json', (route) => route.fulfill({ status: 503 }));
  await sample.click();
  await expect(page.locator('#model')).toContainText('download-failed', patience);
  await page.unroute('**/manifest.json');
  await page.locator('#model').getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByRole('button', { name: 'Choose photos' })).toBeFocused();
  await expect(page.locator('#model')).toContainText('Ready', patience);
  await cards(page).first().getByRole('button', { name: 'Try again' }).click();
  await expectCaption(cards(page).first());
});

test('what cannot be asked of the model is not offered', async ({ page }) => {
  await page.route('**/manifest.json', async (route) => {
    const response = await route.fetch();
    const { tasks, ...manifest } = await response.json();
    const { caption, locate } = tasks;
    await route.fulfill({ json: { ...manifest, tasks: { caption, locate } } });
  });
  await page.goto('./');
  await page.locator('#samples').getByRole('button').first().click();
  const card = cards(page).first();
  await expectCaption(card);
  await expect(card.getByRole('textbox')).toHaveCount(1);
  await expect(card.getByRole('textbox', { name: 'Find in this photo' })).toBeVisible();
  await expect(card.getByRole('radio')).toHaveCount(0);
});

test('a model that cannot be had says why, and photos wait for the next try', async ({ page }) => {
  const manifest = '**/manifest.json';
  await page.route(manifest, (route) => route.fulfill({ status: 503 }));
  await page.goto('./');
  await expect(page.locator('#model')).toContainText('download-failed');
  await page.locator('#samples').getByRole('button').first().click();
  await expect(cards(page).first()).toContainText('Waiting for the model');

  await page.unroute(manifest);
  await page.getByRole('button', { name: 'Try again' }).click();
  await expectCaption(cards(page).first());
});

test('the collapse plays once, again on request, and not for who wants less motion', async ({
  page,
}) => {
  const running = () => page.evaluate(() => document.getAnimations().length);
  await page.addInitScript(() => {
    const { animate } = Element.prototype;
    window.played = 0;
    Element.prototype.animate = function (...given) {
      window.played = (window.played ?? 0) + 1;
      return animate.apply(this, given);
    };
  });
  await page.goto('./');
  await page.locator('#samples').getByRole('button').first().click();
  const card = cards(page).first();
  await expectCaption(card);
  await card.scrollIntoViewIfNeeded();
  await expect.poll(() => page.evaluate(() => window.played)).toBeGreaterThan(32);
  await expect.poll(running).toBe(0);
  await card.getByRole('button', { name: 'Replay' }).click();
  expect(await running()).toBeGreaterThan(32);

  await expect.poll(running).toBe(0);
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await card.getByRole('button', { name: 'Replay' }).click();
  expect(await running()).toBe(0);
});

test.describe('without motion', () => {
  test.use({ reducedMotion: 'reduce' });

  test('axe finds nothing to object to, in light and dark, wide and narrow', async ({ page }) => {
    await page.goto('./');
    await page.locator('#files').setInputFiles([png('notes.png', Buffer.from('No picture.'))]);
    await page.locator('#samples').getByRole('button').first().click();
    await expectCaption(cards(page).first());
    await expect(cards(page).last()).toContainText('unsupported-image');
    for (const question of ['?!', 'What is this?']) {
      await askField(cards(page).first()).fill(question);
      await page.keyboard.press('Enter');
    }
    await expect(asked(cards(page).first()).last()).toContainText('invalid-argument', patience);
    await expectAnswer(asked(cards(page).first()).first(), 'What is this?');
    await expectAccessible(page, page.locator('#results'), 'cards');
  });
});
