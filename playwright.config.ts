/** End-to-end tests: the production build in the system's Chromium, with a real WebGPU device. */
import { defineConfig } from '@playwright/test';
import { chromiumOptions } from './e2e/chromium.ts';

const port = 5188;

export default defineConfig({
  testDir: 'e2e',
  testMatch: '*.spec.ts',
  testIgnore: 'package/**', // has a configuration of its own
  // Software adapters are slow, on a busy machine very.
  timeout: 600_000,
  // Software adapters share the CPU: two pages at once would only wait for each other.
  workers: 1,
  forbidOnly: true,
  reporter: [['list']],
  use: {
    baseURL: `http://localhost:${port}/`,
    launchOptions: chromiumOptions(),
    // Each test meets the server's page; the one of working offline lets the service worker in.
    serviceWorkers: 'block',
  },
  webServer: {
    command: `npx vite preview --port ${port} --strictPort`,
    port,
    reuseExistingServer: false,
  },
});
