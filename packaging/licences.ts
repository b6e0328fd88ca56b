/** The licences of the packages whose code a build takes in, as a file beside it. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Plugin } from 'vite';

/** Texts by package and version: of all builds of this process, as a worker's is one of its own. */
const texts = new Map<string, string>();

/** Vite has an option for this, which does not see what workers take in. */
export function licences(): Plugin {
  return {
    name: 'narvl:licences',
    apply: 'build',
    async generateBundle(_, bundle) {
      const modules = Object.values(bundle).flatMap((file) =>
        file.type === 'chunk' ? file.moduleIds : [],
      );
      for (const folder of new Set(modules.flatMap(packageOf))) {
        const { name, version, license } = JSON.parse(
          await readFile(join(folder, 'package.json'), 'utf8'),
        );
        texts.set(`${name} ${version} (${license})`, await licenceIn(folder));
      }
    },
    async writeBundle({ dir = '.' }) {
      const sorted = [...texts].sort(([a], [b]) => a.localeCompare(b));
      const all = sorted.map(([title, text]) => `## ${title}\n\n${text.trim()}\n`).join('\n');
      await writeFile(join(dir, 'THIRD-PARTY-LICENSES.md'), all);
    },
  };
}

/** The folder of the package that a module is of, if it is of one. */
function packageOf(id: string): string[] {
  const [folder] = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id.replace(/^\0/, '')) ?? [];
  return folder ? [folder] : [];
}

async function licenceIn(folder: string): Promise<string> {
  const name = (await readdir(folder)).find((file) => /^licen[cs]e(\.|$)/i.test(file));
  return name ? readFile(join(folder, name), 'utf8') : 'Its package has no text of the licence.';
}
