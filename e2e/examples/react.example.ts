/** The React example, built by Vite: React keeps the text that the widget suggests. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { expect, test } from '@playwright/test';
import { build } from 'vite';
import { copyOf, photo, policy, run, serve } from './example.ts';

const patience = { timeout: 120_000 };

test('a text is suggested, taken over by React, and goes with the picture', async ({ page }) => {
  const { folder, remove } = await copyOf('react');
  const { dependencies } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const react = [`react@${dependencies.react}`, `react-dom@${dependencies['react-dom']}`];
  // Nearer to the code than the package, which npm would take away: it has not put it there.
  await run('npm', [
    'install',
    '--no-audit',
    '--no-fund',
    '--prefix',
    join(folder, 'src'),
    ...react,
  ]);
  await run('node', ['copy-model.js'], { cwd: folder });
  await build({ root: folder, configFile: join(folder, 'vite.config.js'), logLevel: 'error' });
  const site = await serve(folder, {
    outDir: 'dist',
    headers: { 'content-security-policy': policy },
  });
  try {
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    await page.goto(site.url);
    await page.getByLabel('Picture').setInputFiles(photo('raccoon'));
    const field = page.getByLabel('Suggested alternative text');
    await expect(field).toHaveValue(/\S/, patience);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      // That the picture lacks a text is why there is a panel.
      const { violations } = await new AxeBuilder({ page }).disableRules('image-alt').analyze();
      expect(violations).toEqual([]);
    }
    await field.fill('A raccoon by the water');
    await field.press('Enter');
    const own = page.locator('main > p input:not([type=file])');
    await expect(own).toHaveValue('A raccoon by the water');
    await expect(page.locator('narvl-image img')).toHaveAttribute('alt', 'A raccoon by the water');
    await expect(field).toBeHidden();

    await page.getByLabel('Picture').setInputFiles(photo('cat'));
    await expect(own).toHaveCount(0);
    await expect(field).toHaveValue(/\S/, patience);
    expect(complaints).toEqual([]);
  } finally {
    await site.close();
    await remove();
  }
});
