/** Puts beside the page what it loads: the package's files as `narvl/`, and three photographs. */
import { cp } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = import.meta.dirname;
const narvl = dirname(fileURLToPath(import.meta.resolve('narvl-web/package.json')));

await cp(join(narvl, 'dist'), join(here, 'narvl'), { recursive: true });
for (const photo of ['raccoon.jpg', 'cat.jpg', 'coffee.jpg']) {
  await cp(join(narvl, 'public/samples', photo), join(here, 'photos', photo));
}
