/**
 * Packs the tarball once for all tests, and removes it and the hosts behind them. `NARVL_TARBALL` in the
 * environment names one that is there already.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Playwright's way of saying what to do before all tests; what it returns is done after them. */
// biome-ignore lint/style/noDefaultExport: a global setup is a default export.
export default async function pack(): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'narvl-package-'));
  process.env.NARVL_PACKAGE_FOLDER = folder;
  process.env.NARVL_TARBALL ??= await packInto(folder);
  return () => rm(folder, { recursive: true, force: true });
}

async function packInto(folder: string): Promise<string> {
  const { stdout } = await run('npm', ['pack', '--silent', '--pack-destination', folder]);
  return join(folder, stdout.trim().split('\n').at(-1) ?? '');
}

/** What `pack` left for the tests. */
export function packed(): { folder: string; tarball: string } {
  const { NARVL_PACKAGE_FOLDER: folder, NARVL_TARBALL: tarball } = process.env;
  if (!folder || !tarball) throw new Error('Expected a packed tarball: run by Playwright');
  return { folder, tarball };
}
