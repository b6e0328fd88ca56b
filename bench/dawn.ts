/**
 * `npm run bench:dawn`: the same kernels under Dawn in Node, on a machine's own GPU and without a
 * browser; nor is onnxruntime-web there, nor the encoder.
 *
 * Dawn looks for Vulkan's drivers where Vulkan does; VK_ICD_FILENAMES names another, for software
 * Chromium's vk_swiftshader_icd.json.
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';
import { create, globals } from 'webgpu';
import { runWith } from './options.ts';
import type { Report } from './report.ts';
import type { Wanted } from './run.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

async function bench(wanted: Wanted): Promise<Report> {
  Object.assign(globalThis, globals);
  const gpu = create(['enable-dawn-features=allow_unsafe_apis']);
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
    const { device, adapter } = await requestGpu(gpu);
    return await run(
      {
        ...{ device, adapter, browser: false },
        userAgent: `Dawn in Node ${process.version}`,
        onProgress: (what) => console.error(what),
      },
      shippedSize(manifest, {
        'decoder.safetensors': await file('decoder.safetensors'),
        'vision.onnx': await file('vision.onnx'),
        'fusion.onnx': await file('fusion.onnx'),
      }),
      wanted,
    );
  } finally {
    await server.close();
  }
}

await runWith(bench);
// Dawn keeps Node alive.
process.exit();
