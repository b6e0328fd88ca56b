/** Two test projects: `unit` in Node, `kernels` on a real WebGPU device in Chromium. */
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { chromiumOptions } from './e2e/chromium.ts';

const { headless, ...launchOptions } = chromiumOptions();

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          environment: 'node',
          include: ['src/**/*.test.ts'],
        },
      },
      {
        test: {
          name: 'kernels',
          include: ['e2e/kernels/**/*.test.ts'],
          testTimeout: 60_000,
          // One device at a time: software adapters share the CPU with everything else.
          fileParallelism: false,
          browser: {
            enabled: true,
            headless,
            screenshotFailures: false,
            provider: playwright({ launchOptions }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
    ],
  },
});
