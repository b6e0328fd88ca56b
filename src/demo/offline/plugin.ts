/** The build's part of working offline: tells the service worker what the page is made of. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin, Rolldown } from 'vite';

/** The entry's name, and that of its file: a service worker is found at one address for ever. */
export const SERVICE_WORKER = 'service-worker';

/** onnxruntime's scripts and WebAssembly, which are for who has no GPU. */
const RUNTIME = /^assets\/ort[.-]/;

/**
 * Fills in the service worker's lists: all that `index.html` reaches, onnxruntime apart, and the public
 * files but the models.
 */
export function offline(): Plugin {
  let publicDir = '';
  return {
    name: 'narvl-offline',
    apply: 'build',
    enforce: 'post',
    configResolved(config) {
      publicDir = config.publicDir;
    },
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const worker = bundle[`${SERVICE_WORKER}.js`];
        if (worker?.type !== 'chunk') return; // A build of something else.
        const hash = createHash('sha256');
        const built = reachable('index.html', bundle);
        for (const file of built) hash.update(file).update(contentOf(bundle[file]));
        const open = publicFiles(publicDir);
        for (const file of open) hash.update(file).update(readFileSync(join(publicDir, file)));
        const version = hash.digest('hex').slice(0, 16);
        const files = [...built.filter((file) => !RUNTIME.test(file)), ...open];
        const runtime = built.filter((file) => RUNTIME.test(file));
        if (runtime.length === 0) throw new Error(`Expected onnxruntime in ${built.join(', ')}`);
        const list = JSON.stringify({ version, files, runtime });
        worker.code = worker.code.replaceAll('__OFFLINE__', list);
      },
    },
  };
}

/** The built files that `from` names, those that they name, and so on: names with a hash stand for nothing else. */
function reachable(from: string, bundle: Rolldown.OutputBundle): string[] {
  const reached = new Set([from]);
  for (const file of reached) {
    if (!/\.(html|js|css)$/.test(file)) continue;
    const text = String(contentOf(bundle[file]));
    for (const other of Object.keys(bundle)) {
      const name = other.slice(other.lastIndexOf('/') + 1);
      if (other.startsWith('assets/') && text.includes(name)) reached.add(other);
    }
  }
  return [...reached].sort();
}

function contentOf(
  output: Rolldown.OutputAsset | Rolldown.OutputChunk | undefined,
): string | Uint8Array {
  if (!output) throw new Error('Expected index.html to be built beside the service worker');
  return output.type === 'chunk' ? output.code : output.source;
}

function publicFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll('\\', '/'),
    )
    .filter((file) => !file.startsWith('models/'))
    .sort();
}
