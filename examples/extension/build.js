/**
 * Puts the extension together in `unpacked/`: these files, and the package's as `lib/`.
 * `node build.js`; then `chrome://extensions`, developer mode, "Load unpacked".
 */
import { cp, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = import.meta.dirname;
const out = join(here, 'unpacked');
const files = ['manifest.json', 'background.js', 'content.js', 'offscreen.html', 'offscreen.js'];

await rm(out, { recursive: true, force: true });
for (const file of files) await cp(join(here, file), join(out, file));
const dist = dirname(fileURLToPath(import.meta.resolve('narvl-web')));
await cp(dist, join(out, 'lib'), { recursive: true });
