/** Draws the icons that want pixels from public/icons/icon.svg: `npx tsx cli/icons.ts`. */
import { readFile, writeFile } from 'node:fs/promises';
import { chromium } from 'playwright';
import { chromiumOptions } from '../e2e/chromium.ts';

const folder = new URL('../public/icons/', import.meta.url);
/** The sheet's blue, which fills what the system cuts a maskable icon from. */
const BLUE = '#0f3d68';

/** File, side in pixels, and how much of the side the drawing takes: of a maskable one the safe zone. */
const icons: readonly (readonly [file: string, side: number, share: number, ground: string])[] = [
  ['icon-192.png', 192, 1, 'transparent'],
  ['icon-512.png', 512, 1, 'transparent'],
  ['maskable-512.png', 512, 0.8, BLUE],
  // iOS rounds the corners itself.
  ['apple-touch-icon.png', 180, 1, BLUE],
];

const svg = await readFile(new URL('icon.svg', folder), 'utf8');
const browser = await chromium.launch(chromiumOptions());
try {
  const page = await browser.newPage();
  for (const [file, side, share, ground] of icons) {
    await page.setViewportSize({ width: side, height: side });
    await page.setContent(
      `<body style="margin:0;display:grid;place-items:center;height:100vh;background:${ground}">` +
        `<div style="width:${share * 100}%;line-height:0">${svg}</div>`,
    );
    await writeFile(new URL(file, folder), await page.screenshot({ omitBackground: true }));
  }
} finally {
  await browser.close();
}
