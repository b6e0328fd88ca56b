/** Shaders as a build ships them: without the comments and the indentation that they are read by. */
import { readFile } from 'node:fs/promises';
import type { Plugin } from 'vite';

export function bareShaders(): Plugin {
  return {
    name: 'narvl:bare-shaders',
    apply: 'build',
    enforce: 'pre',
    async load(id) {
      const [path = '', query] = id.split('?');
      if (!path.endsWith('.wgsl') || query !== 'raw') return null;
      return `export default ${JSON.stringify(bare(await readFile(path, 'utf8')))}`;
    },
  };
}

/** WGSL has no strings, so that whatever looks like a comment is one. */
function bare(code: string): string {
  return code
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/\/\/.*$/gm, '')
    .replaceAll(/^\s+|[^\S\n]+$/gm, '');
}
