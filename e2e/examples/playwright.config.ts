/** The examples as their READMEs say, in Chromium, on the package as `npm run build:lib` leaves it. */
import { defineConfig } from '@playwright/test';
import { chromiumOptions } from '../chromium.ts';

export default defineConfig({
  testDir: '.',
  testMatch: '*.example.ts',
  timeout: 240_000,
  workers: 1,
  forbidOnly: true,
  reporter: [['list']],
  use: { launchOptions: chromiumOptions() },
});
