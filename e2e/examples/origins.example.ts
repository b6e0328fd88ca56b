/** Pictures of other sites: asked of their server, which may say no. */
import { dirname } from 'node:path';
import { expect, test } from '@playwright/test';
import type { NarvlImage } from '../../src/widget/index.ts';
import { copyOf, photo, run, serve } from './example.ts';

test('a picture of another site is described if its server allows, and else says why not', async ({
  page,
}) => {
  const { folder, remove } = await copyOf('html');
  await run('node', ['build.js'], { cwd: folder });
  const site = await serve(folder);
  const photos = dirname(photo('cat'));
  const [open, closed] = await Promise.all([serve(photos, { cors: true }), serve(photos)]);
  try {
    await page.goto(site.url);
    /** What becomes of a picture at this address. */
    const outcome = (src: string) =>
      page.evaluate(async (address) => {
        const element = document.createElement('narvl-image');
        element.setAttribute('model', 'narvl/models/narvl-photo/');
        element.setAttribute('mode', 'fill');
        element.setAttribute('threshold', '0');
        const image = new Image();
        image.src = address;
        element.append(image);
        document.querySelector('main')?.replaceChildren(element);
        return new Promise<string>((resolve) => {
          element.addEventListener('narvl-caption', () => resolve('described'));
          element.addEventListener('narvl-error', ({ detail }) => resolve(detail.code));
        });
      }, src);
    expect(await outcome(`${open.url}cat.jpg`)).toBe('described');
    expect(await outcome(`${closed.url}cat.jpg`)).toBe('image-unreadable');
    const state = await page.locator('narvl-image').evaluate((node: NarvlImage) => node.state);
    expect(state).toBe('failed');
  } finally {
    await Promise.all([site.close(), open.close(), closed.close()]);
    await remove();
  }
});
