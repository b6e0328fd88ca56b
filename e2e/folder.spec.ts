/** A folder of photos on the demo page: its table, with the real model. */
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, type Page, type Worker } from '@playwright/test';
import { cards, drawPhoto, expectAccessible, patience, png, ready, test } from './demo-page.ts';

declare global {
  /** Bitmaps that are open, and how many were at most; kept by the test that counts them. */
  var bitmaps: { open: number; most: number } | undefined;
}

const rows = (page: Page) => page.locator('#folder-rows').getByRole('row');

/** The row of a file, and what is written in it. */
const rowOf = (page: Page, file: string) =>
  rows(page).filter({ has: page.getByRole('rowheader', { name: file, exact: true }) });

const textOf = (page: Page, file: string) =>
  page.getByRole('textbox', { name: `Text for ${file}`, exact: true });

/** What the button saves. */
async function save(page: Page, button: string): Promise<string> {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: button }).click(),
  ]);
  return await readFile(await download.path(), 'utf8');
}

test.describe('without motion', () => {
  test.use({ reducedMotion: 'reduce' });

  let folder: string;
  /** What is chosen; its files are read when it is their turn. */
  let photos: string;

  test.beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'narvl-folder-'));
    photos = join(folder, 'photos');
  });
  test.afterEach(() => rm(folder, { recursive: true }));

  test('a folder becomes a table to write in and to save, and what is no photo says so', async ({
    page,
  }) => {
    await page.goto('./');
    await mkdir(join(photos, 'morning'), { recursive: true });
    for (const [sample, file] of [
      ['coffee', 'morning/espresso.jpg'],
      ['raccoon', 'raccoon.jpg'],
      ['cat', '=1+1.jpg'],
    ] as const) {
      await copyFile(`public/samples/${sample}.jpg`, join(photos, file));
    }
    await writeFile(join(photos, 'broken.png'), 'This is no picture at all.');
    await writeFile(join(photos, 'notes.txt'), 'Nor is this, and it does not say so.');
    await page.locator('#folder-files').setInputFiles(photos);
    await expect(rows(page)).toHaveCount(4);
    const region = page.getByRole('region', { name: 'Folder' });
    await expect(region).toContainText('4 of 4 photos · 1 failed', patience);
    await expect(cards(page)).toHaveCount(0);
    await expect(rowOf(page, 'photos/broken.png')).toContainText('unsupported-image');
    await expect(rowOf(page, 'photos/morning/espresso.jpg')).toContainText(/\d+%/);
    await expect(textOf(page, 'photos/morning/espresso.jpg')).toHaveValue(/^[A-Z]/);
    await expect(rowOf(page, 'photos/morning/espresso.jpg').locator('.stamp img')).toBeVisible();
    await expect(page.getByRole('log')).toContainText('All 4 photos done, 1 failed');

    await textOf(page, 'photos/morning/espresso.jpg').focus();
    await page.keyboard.press('ControlOrMeta+A');
    await page.keyboard.type('A "double" & a spoon');
    await expect(rowOf(page, 'photos/morning/espresso.jpg')).toContainText('Yours');
    const csv = await save(page, 'Save as CSV');
    expect(csv).toContain('photos/morning/espresso.jpg,"A ""double"" & a spoon",,human,\r\n');
    expect(csv).toContain('photos/broken.png,,,none,unsupported-image\r\n');
    const machine = JSON.parse(await save(page, 'Save as JSON')).find(
      (entry: { file: string }) => entry.file === 'photos/=1+1.jpg',
    );
    expect(machine).toMatchObject({ source: 'machine', error: null });
    expect(machine.confidence).toBeGreaterThan(0);
    const html = await save(page, 'Save as HTML');
    expect(html).toContain(
      '<img src="./photos/morning/espresso.jpg" alt="A &quot;double&quot; &amp; a spoon">',
    );

    await expectAccessible(page, region, 'folder');

    await page.getByRole('button', { name: 'Close the table' }).press('Enter');
    await expect(region).toBeHidden();
    await expect(page.getByRole('button', { name: 'a whole folder' })).toBeFocused();
  });
});

/** Runs in the page and in its worker: counts the bitmaps that are open. */
function countBitmaps(): void {
  const counted = { open: 0, most: 0 };
  globalThis.bitmaps = counted;
  const { createImageBitmap } = globalThis;
  const count = async (...given: Parameters<typeof createImageBitmap>) => {
    const bitmap = await createImageBitmap(...given);
    counted.most = Math.max(counted.most, ++counted.open);
    const { close } = bitmap;
    bitmap.close = () => {
      counted.open--;
      close.call(bitmap);
    };
    return bitmap;
  };
  globalThis.createImageBitmap = count as typeof createImageBitmap;
}

test('a hundred photos wait as files: pixels are there of one at a time, and it can be stopped', async ({
  page,
}) => {
  await page.goto('./');
  await ready(page);
  const [worker] = page.workers();
  if (!worker) throw new Error('Expected the worker');
  const places: (Page | Worker)[] = [page, worker];
  for (const place of places) await (place as Worker).evaluate(countBitmaps);

  const bytes = await drawPhoto(page, 'skyblue');
  const photos = Array.from({ length: 100 }, (_, i) => png(`${i}.png`, bytes));
  await page.locator('#files').setInputFiles(photos);
  await expect(rows(page)).toHaveCount(100);
  const region = page.getByRole('region', { name: 'Folder' });
  await expect(region).toContainText(/[3-9] of 100 photos · .*left/, patience);
  for (const place of places) {
    const most = () => (place as Worker).evaluate(() => globalThis.bitmaps?.most);
    await expect.poll(most, patience).toBe(1);
  }

  await region.getByRole('button', { name: 'Stop' }).press('Enter');
  await expect(region).toContainText('stopped');
  await expect(rows(page).and(page.locator('[data-state=looking]'))).toHaveCount(0);
  const done = () => rows(page).and(page.locator('[data-state=done]')).count();
  const written = await done();
  expect(written).toBeLessThan(100);
  await region.getByRole('button', { name: 'Go on' }).press('Enter');
  await expect.poll(done, patience).toBeGreaterThan(written + 1);
  await page.getByRole('button', { name: 'Close the table' }).press('Enter');
  await expect(rows(page)).toHaveCount(0);
});
