/** A model's files from a folder, for command lines. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelFiles } from '../src/model/files.ts';
import { parseManifest } from '../src/model/manifest.ts';
import { sha256 } from '../src/model/sha256.ts';

/** @throws Error for a file that is missing or is not the one that the manifest names. */
export async function modelOnDisk(folder: string): Promise<ModelFiles> {
  const manifest = parseManifest(await readFile(join(folder, 'manifest.json'), 'utf8'));
  const files = await Promise.all(
    Object.entries(manifest.files).map(async ([name, wanted]) => {
      const data = new Uint8Array(await readFile(join(folder, name))).buffer;
      const hash = await sha256(data);
      if (hash !== wanted.sha256) {
        throw new Error(`${join(folder, name)}: expected SHA-256 ${wanted.sha256}, got ${hash}`);
      }
      return [name, data] as const;
    }),
  );
  return { manifest, files: Object.fromEntries(files) as ModelFiles['files'] };
}
