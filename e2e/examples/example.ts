/** An example in a folder of its own, as somebody has it who copied it, and sites that serve folders. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { preview } from 'vite';

export const run = promisify(execFile);

const root = resolve(import.meta.dirname, '../..');

/** The path of one of the demo's photographs. */
export const photo = (name: string) => join(root, 'public/samples', `${name}.jpg`);

/** A copy of an example with the package among its modules. */
export async function copyOf(name: string): Promise<{ folder: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), `narvl-${name}-`));
  await cp(join(root, 'examples', name), folder, { recursive: true });
  const modules = join(folder, 'node_modules');
  await mkdir(modules, { recursive: true });
  await symlink(root, join(modules, 'narvl-web'), 'dir');
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** What the package's README promises to live under. */
export const policy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "connect-src 'self'",
  "img-src 'self' blob: data:",
  "style-src 'self'",
].join('; ');

/** A folder that is served. */
export interface Site {
  /** With a slash at its end. */
  readonly url: string;
  close(): Promise<void>;
}

/** How a folder is served. */
export interface ServeOptions {
  readonly headers?: Record<string, string>;
  /** The folder in it that was built. */
  readonly outDir?: string;
  /** Whether pages of other origins may read what is served. */
  readonly cors?: boolean;
}

export async function serve(
  folder: string,
  { headers = {}, outDir = '.', cors = false }: ServeOptions = {},
): Promise<Site> {
  const server = await preview({
    root: folder,
    configFile: false,
    logLevel: 'error',
    appType: 'mpa',
    build: { outDir },
    preview: { port: 0, host: 'localhost', headers, cors },
  });
  const [url = ''] = server.resolvedUrls?.local ?? [];
  return { url, close: () => server.close() };
}
