/**
 * `npm run bench:dawn`: the same kernels under Dawn in Node, on a machine's own GPU and without a
 * browser; nor is onnxruntime-web there.
 *
 * Dawn looks for Vulkan's drivers where Vulkan does; VK_DRIVER_FILES names another, for software
 * Chromium's vk_swiftshader_icd.json.
 */
import { createServer } from 'vite';
import { ROOT } from '../cli/server.ts';
import { openDawn } from './on-dawn.ts';
import { modelOnDisk } from './on-disk.ts';
import { runWith } from './options.ts';
import type { Report } from './report.ts';
import type { Place, Wanted } from './run.ts';

async function bench(wanted: Wanted): Promise<Report> {
  // Shaders are imported as text, which Vite knows how to do and Node does not.
  const server = await createServer({
    root: ROOT,
    logLevel: 'error',
    optimizeDeps: { noDiscovery: true },
    server: { middlewareMode: true, hmr: false, watch: null, ws: false },
  });
  try {
    const load = <T>(path: string) => server.ssrLoadModule(path) as Promise<T>;
    const { run } = await load<typeof import('./run.ts')>('/bench/run.ts');
    const { shippedSize } = await load<typeof import('./shipped.ts')>('/bench/shipped.ts');
    const model = await modelOnDisk(`${ROOT}public/models/narvl-photo`);
    const { device, adapter, lost } = await openDawn();
    const place: Place = {
      ...{ device, adapter, browser: false },
      userAgent: `Dawn in Node ${process.version}`,
      onProgress: (what) => console.error(what),
    };
    const end = lost.then((error) => Promise.reject(error));
    return await Promise.race([run(place, shippedSize(model), wanted), end]);
  } finally {
    await server.close();
  }
}

await runWith(bench);
// Dawn keeps Node alive.
process.exit();
