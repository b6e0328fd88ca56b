/** The repository's pages on a local server, for command lines that drive them in a browser. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';

/** The repository's root. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** A server that is up; `close` also removes what it kept. */
export interface LocalServer {
  /** With a slash at its end. */
  readonly url: string;
  close(): Promise<void>;
}

export async function startServer(): Promise<LocalServer> {
  // Bundled dependencies, of this run alone: another Vite at work would change shared ones.
  const cacheDir = join(ROOT, 'node_modules', `.vite-cli-${process.pid}`);
  const server = await createServer({
    root: ROOT,
    cacheDir,
    logLevel: 'error',
    server: { port: 0, host: 'localhost', hmr: false, watch: null },
  });
  const close = async () => {
    await server.close();
    await rm(cacheDir, { recursive: true, force: true });
  };
  await server.listen();
  const [url] = server.resolvedUrls?.local ?? [];
  if (url) return { url, close };
  await close();
  throw new Error('The local server has no address');
}
