/** The extension in Chromium, on a page that isn't ours, whose policy forbids everything that it does. */
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, expect, test } from '@playwright/test';
import { chromiumOptions } from '../chromium.ts';
import { copyOf, photo, run, serve } from './example.ts';

/** A page of somebody else's: one script and one policy of its own. */
const page = `<!doctype html>
  <html lang="en">
    <title>Somebody’s page</title>
    <main>
      <img id="lacking" src="photo.jpg" width="400" height="280">
      <img id="told" src="photo.jpg" width="400" height="280" alt="Somebody’s own words">
      <img id="decorative" src="photo.jpg" width="400" height="280" alt="">
      <img id="tiny" src="photo.jpg" width="16" height="16">
    </main>
    <template id="later"><img src="photo.jpg?later" width="400" height="280"></template>
    <script src="page.js"></script>
  </html>`;

const script = `
  document.querySelector('main').addEventListener('click', () => {
    document.querySelector('main').append(document.querySelector('#later').content);
  });`;

test('fills in what lacks a text, now and later, and touches nothing else', async () => {
  const extension = await copyOf('extension');
  await run('node', ['build.js'], { cwd: extension.folder });
  const unpacked = join(extension.folder, 'unpacked');
  const folder = await mkdtemp(join(tmpdir(), 'narvl-page-'));
  await writeFile(join(folder, 'index.html'), page);
  await writeFile(join(folder, 'page.js'), script);
  // The model has to be sure enough of it.
  await cp(photo('pavilion'), join(folder, 'photo.jpg'));
  const site = await serve(folder, {
    headers: { 'content-security-policy': "default-src 'none'; img-src 'self'; script-src 'self'" },
  });
  const { args, ...options } = chromiumOptions();
  const browser = await chromium.launchPersistentContext('', {
    ...options,
    args: [...args, `--disable-extensions-except=${unpacked}`, `--load-extension=${unpacked}`],
    ignoreDefaultArgs: ['--disable-extensions'],
  });
  try {
    const tab = await browser.newPage();
    await tab.goto(site.url);
    const html = (id: string) => tab.locator(`#${id}`).evaluate((image) => image.outerHTML);
    const untouched = ['told', 'decorative', 'tiny'];
    const before = await Promise.all(untouched.map(html));
    const lacking = tab.locator('#lacking');
    await expect(lacking).toHaveAttribute('data-narvl', 'machine', { timeout: 180_000 });
    // What it says is the model's own affair.
    expect(await lacking.getAttribute('alt')).toMatch(/^[A-Z].+/);

    await tab.locator('main').click({ position: { x: 2, y: 2 } });
    await expect(tab.locator('img[src$=later]')).toHaveAttribute('alt', /\S/, { timeout: 60_000 });
    expect(await Promise.all(untouched.map(html))).toEqual(before);
  } finally {
    await browser.close();
    await site.close();
    await extension.remove();
    await rm(folder, { recursive: true, force: true });
  }
});
