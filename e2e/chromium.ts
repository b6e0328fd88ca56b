/** Where the system's Chromium is and how it is started: one place for tests, end-to-end runs and the command line. */
import { existsSync } from 'node:fs';

const usualPaths = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Playwright's launch options, as far as they are the same everywhere. */
export interface ChromiumLaunchOptions {
  executablePath: string;
  headless: boolean;
  args: string[];
}

/**
 * Path of a Chromium: `$CHROMIUM`, or the first of the usual paths.
 * @throws Error in one line that says what to install if there is none.
 */
function chromiumPath(): string {
  const asked = process.env.CHROMIUM;
  const candidates = asked ? [asked] : usualPaths;
  const path = candidates.find((candidate) => existsSync(candidate));
  if (path) return path;
  throw new Error(
    `No Chromium at ${candidates.join(', ')}: apt-get install chromium, or set CHROMIUM to its path`,
  );
}

/**
 * Launch options of a headless Chromium that has WebGPU on a software adapter, whatever the machine.
 *
 * `NARVL_GPU=1` leaves the choice of adapter to Chromium, for a machine with a real GPU.
 */
export function chromiumOptions(): ChromiumLaunchOptions {
  const adapter =
    process.env.NARVL_GPU === '1'
      ? ['--enable-features=Vulkan']
      : ['--use-webgpu-adapter=swiftshader'];
  return {
    executablePath: chromiumPath(),
    headless: true,
    args: [
      '--no-sandbox', // Containers run as root, where Chromium's sandbox cannot start.
      '--enable-unsafe-webgpu', // Headless Linux has no adapter without it.
      ...adapter,
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-default-apps',
      '--disable-sync',
      '--no-first-run',
    ],
  };
}
