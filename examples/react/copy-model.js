/** Puts the model where Vite serves files as they are: it is fetched by its folder's address. */
import { cp } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const manifest = fileURLToPath(import.meta.resolve('narvl-web/models/narvl-photo/manifest.json'));
const target = join(import.meta.dirname, 'public/models/narvl-photo');
await cp(dirname(manifest), target, { recursive: true });
