/** The package as a stranger has it: its tarball, installed into fresh hosts and opened in Chromium. */
import { defineConfig } from '@playwright/test';
import { chromiumOptions } from '../chromium.ts';

export default defineConfig({
  testDir: '.',
  testMatch: '*.spec.ts',
  // Installing and bundling 60 MB on a busy machine, and a model that is rendered in software.
  timeout: 600_000,
  workers: 1,
  forbidOnly: true,
  reporter: [['list']],
  globalSetup: './pack.ts',
  use: { launchOptions: chromiumOptions() },
});
