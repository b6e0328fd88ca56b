/** What a visitor downloads: on WebGPU nothing of onnxruntime, without it nothing else runs the graphs. */
import { expect, test } from '@playwright/test';
import { cards, expectCaption, ready } from './demo-page.ts';

const runtime = /\/ort[.-][^/]*\.(m?js|wasm)/;

for (const [encoder, fetched] of [
  ['webgpu', false],
  ['wasm', true],
] as const) {
  test(`onnxruntime is ${fetched ? '' : 'not '}fetched with vision on ${encoder}`, async ({
    page,
  }) => {
    const requests: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    await page.goto(`./?encoder=${encoder}`);
    await ready(page);
    await page.locator('#samples').getByRole('button').first().click();
    await expectCaption(cards(page).first());
    expect(requests.some((url) => url.endsWith('/decoder.safetensors'))).toBe(true);
    expect(requests.some((url) => runtime.test(url))).toBe(fetched);
  });
}
