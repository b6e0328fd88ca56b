/** The bench's page: what it shows of a report, and that it can be read. */
import AxeBuilder from '@axe-core/playwright';
import { expect, test } from '@playwright/test';
import type { Report } from '../bench/report.ts';

const report: Report = {
  date: '2026-11-22',
  userAgent: 'a test',
  adapter: { vendor: 'acme', architecture: 'one', description: '', software: false },
  rates: { bandwidth: 1e11, operations: 1e12, launch: 0.02, wait: 0.3, overlap: true },
  sections: [
    {
      title: 'Captions, small',
      note: 'From the memory to token ids.',
      timed: [
        {
          name: '(a) one pass',
          milliseconds: [1, 1.2, 1.1],
          median: 1.1,
          spread: [1, 1.2],
          ratio: 1,
        },
        { name: '(b) greedy', milliseconds: [9, 11, 10], median: 10, spread: [9, 11], ratio: 9.1 },
      ],
      failed: [{ name: '(f) another', reason: 'it is not there' }],
    },
  ],
  kernels: undefined,
  predictions: [],
};

const asFile = (text: string) => ({
  name: 'report.json',
  mimeType: 'application/json',
  buffer: Buffer.from(text),
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`draws a report that was kept, in ${colorScheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme });
    await page.goto('bench.html');
    await expect(page.getByRole('button', { name: 'Save as a file' })).toBeDisabled();
    await page.setInputFiles('#open', asFile(JSON.stringify(report)));
    await expect(page.getByRole('status')).toHaveText('acme one, 2026-11-22');
    await expect(page.getByRole('heading', { name: 'Captions, small' })).toBeVisible();
    await expect(page.locator('#results svg')).toContainText('9.10 ×');
    await page.getByText('All numbers').click();
    await expect(page.locator('pre')).toContainText('not run: it is not there');
    const saving = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save as a file' }).click();
    expect((await saving).suggestedFilename()).toBe('narvl-bench-2026-11-22.json');
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations).toEqual([]);
  });
}

test('says of another file that it is no report', async ({ page }) => {
  await page.goto('bench.html');
  for (const text of ['not json', '{"date":"today"}']) {
    await page.setInputFiles('#open', asFile(text));
    await expect(page.getByRole('status')).toHaveText('report.json is no report of this bench');
  }
});
