/**
 * Test projects: `unit` in Node; `kernels`, `runtime` and `widget` on a real WebGPU device in Chromium,
 * the latter two with the shipped model; `dawn`, the kernels' again on another driver, in Node.
 */
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { chromiumOptions } from './e2e/chromium.ts';
import { workerDependencies } from './vite.config.ts';

const { headless, ...launchOptions } = chromiumOptions();

const onSoftware = {
  // Compiling a kernel for a software adapter takes a second, on a busy machine a minute.
  testTimeout: 300_000,
  hookTimeout: 300_000,
  // One device at a time: software adapters share the CPU with everything else.
  fileParallelism: false,
};

/** Tests of e2e/<name>, in the system's Chromium. */
function inChromium(name: string, more: { readonly globalSetup?: string[] } = {}) {
  return {
    optimizeDeps: { include: workerDependencies },
    test: {
      name,
      ...more,
      include: [`e2e/${name}/**/*.test.ts`],
      exclude: ['**/*.dawn.test.ts'],
      ...onSoftware,
      browser: {
        enabled: true,
        headless,
        screenshotFailures: false,
        provider: playwright({ launchOptions }),
        instances: [{ browser: 'chromium' as const }],
      },
    },
  };
}

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          environment: 'node',
          include: ['{src,bench}/**/*.test.ts'],
          // A property is some hundred cases: seconds, on a busy machine a minute.
          testTimeout: 60_000,
        },
      },
      inChromium('kernels'),
      inChromium('runtime', { globalSetup: ['e2e/network/setup.ts'] }),
      inChromium('widget'),
      {
        test: {
          name: 'dawn',
          environment: 'node',
          include: ['e2e/kernels/**/*.test.ts'],
          // onnxruntime-web runs in a browser.
          exclude: ['e2e/kernels/onnx-*.test.ts', 'e2e/kernels/transformers.test.ts'],
          setupFiles: ['e2e/dawn.ts'],
          ...onSoftware,
        },
      },
    ],
  },
});
