/**
 * `npm run firefox`: the built package in Debian's Firefox, which has no WebGPU there, and in Chromium on the
 * same fallback. Exits with 1 if they do not say the same of a photo, its parts included, or of a question.
 */
import { cp, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { chromium } from 'playwright';
import puppeteer from 'puppeteer-core';
import { ROOT } from '../../cli/server.ts';
import { chromiumOptions } from '../chromium.ts';
import { serve } from '../package/hosts.ts';
import type { Said } from './host/main.js';

/** Debian's, of the package `firefox-esr`. */
const FIREFOX = process.env.FIREFOX ?? '/usr/bin/firefox-esr';

/** Pictures that are captioned: the samples, photos of ../shared where they are, and parts of the samples. */
const PICTURES = 20;

/** Flickr8k's: whatever photos. */
const OTHERS = join(ROOT, '../shared/data/flickr8k/images');

/** In milliseconds: a download, and all captions on a busy machine. */
const PATIENCE = 900_000;

/** Photos of a folder, at most so many, in the order of their names. */
async function photosIn(folder: string, most: number): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  const photos = names.filter((name) => ['.jpg', '.webp'].includes(extname(name))).sort();
  return photos.slice(0, most).map((name) => join(folder, name));
}

/** The host page with the package, the photos, and what each of them is called. */
async function layOut(site: string): Promise<string[]> {
  await cp(join(ROOT, 'e2e/firefox/host'), site, { recursive: true });
  await cp(join(ROOT, 'dist'), join(site, 'narvl'), { recursive: true });
  await mkdir(join(site, 'photos'));
  const samples = await photosIn(join(ROOT, 'public/samples'), PICTURES);
  const photos = [...samples, ...(await photosIn(OTHERS, PICTURES - samples.length))];
  return Promise.all(
    photos.map(async (photo, i) => {
      const url = `photos/${i}${extname(photo)}`;
      await cp(photo, join(site, url));
      return url;
    }),
  );
}

async function inFirefox(url: string, photos: readonly string[]): Promise<Said> {
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: FIREFOX,
    headless: true,
    protocolTimeout: PATIENCE,
  });
  try {
    const page = await browser.newPage();
    await page.goto(url);
    await page.waitForFunction('globalThis.narvlSay');
    console.log(await browser.version());
    return await page.evaluate(
      (given, count) => globalThis.narvlSay(given, count),
      photos,
      PICTURES,
    );
  } finally {
    await browser.close();
  }
}

async function inChromium(url: string, photos: readonly string[]): Promise<Said> {
  const browser = await chromium.launch(chromiumOptions());
  try {
    const page = await browser.newPage();
    await page.goto(url);
    await page.waitForFunction(() => 'narvlSay' in globalThis);
    console.log(`chromium/${browser.version()}`);
    return await page.evaluate(([given, count]) => globalThis.narvlSay(given, count), [
      photos,
      PICTURES,
    ] as const);
  } finally {
    await browser.close();
  }
}

async function main(): Promise<number> {
  const site = await mkdtemp(join(tmpdir(), 'narvl-firefox-'));
  const photos = await layOut(site);
  const server = await serve(site, {});
  try {
    const there = await inFirefox(server.url, photos);
    const here = await inChromium(server.url, photos);
    let same = 0;
    for (const [i, text] of here.texts.entries()) {
      const other = there.texts[i];
      if (text === other) same++;
      console.log(text === other ? `same | ${text}` : `OTHER | ${text} | ${other}`);
    }
    const { device } = there;
    console.log(`Firefox on ${device.encoder} and ${device.decoder}, WebGPU: ${there.webgpu}`);
    console.log(`${same} of ${here.texts.length} texts are the same`);
    const told = there.refusals.join() === here.refusals.join();
    console.log(`Refusals: ${there.refusals.join(', ')}${told ? '' : ` | ${here.refusals}`}`);
    const all = same === here.texts.length && here.texts.length === there.texts.length && told;
    return all && device.encoder === 'wasm' && device.decoder === 'wasm' ? 0 : 1;
  } finally {
    await server.close();
    await rm(site, { recursive: true });
  }
}

process.exitCode = await main();
