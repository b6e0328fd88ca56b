/**
 * `npm run bench:dawn`: the same kernels under Dawn in Node, on a machine's own GPU and without a
 * browser; nor is onnxruntime-web there, nor the encoder.
 *
 * Dawn looks for Vulkan's drivers where Vulkan does; VK_ICD_FILENAMES names another, for software
 * Chromium's vk_swiftshader_icd.json.
 */
import { readFile } from 'node:fs/promises';
import { createServer } from 'vite';
import { create, globals } from 'webgpu';
import { ROOT } from '../cli/server.ts';
import type { ModelFiles } from '../src/model/files.ts';
import { runWith } from './options.ts';
import type { Report } from './report.ts';
import type { Place, Wanted } from './run.ts';

async function bench(wanted: Wanted): Promise<Report> {
  Object.assign(globalThis, globals);
  const gpu = create([
    'enable-dawn-features=allow_unsafe_apis',
    // Else kernels' times come in steps of 65 µs.
    'disable-dawn-features=timestamp_quantization',
  ]);
  // Shaders are imported as text, which Vite knows how to do and Node does not.
  const server = await createServer({
    root: ROOT,
    logLevel: 'error',
    optimizeDeps: { noDiscovery: true },
    server: { middlewareMode: true, hmr: false, watch: null, ws: false },
  });
  try {
    const load = <T>(path: string) => server.ssrLoadModule(path) as Promise<T>;
    const { requestGpu } = await load<typeof import('../src/gpu/device.ts')>('/src/gpu/device.ts');
    const { run } = await load<typeof import('./run.ts')>('/bench/run.ts');
    const { shippedSize } = await load<typeof import('./shipped.ts')>('/bench/shipped.ts');
    const { parseManifest } =
      await load<typeof import('../src/model/manifest.ts')>('/src/model/manifest.ts');
    const file = async (name: string): Promise<ArrayBuffer> => {
      const data = await readFile(`${ROOT}public/models/narvl-photo/${name}`);
      return new Uint8Array(data).buffer;
    };
    const manifest = parseManifest(new TextDecoder().decode(await file('manifest.json')));
    const { device, adapter, lost } = await requestGpu(gpu);
    const files = Object.fromEntries(
      await Promise.all(
        Object.keys(manifest.files).map(async (name) => [name, await file(name)] as const),
      ),
    ) as ModelFiles['files'];
    const place: Place = {
      ...{ device, adapter, browser: false },
      userAgent: `Dawn in Node ${process.version}`,
      onProgress: (what) => console.error(what),
    };
    const end = lost.then((error) => Promise.reject(error));
    return await Promise.race([run(place, shippedSize({ manifest, files }), wanted), end]);
  } finally {
    await server.close();
  }
}

await runWith(bench);
// Dawn keeps Node alive.
process.exit();
