/** Fresh hosts of the tarball: a folder each, in which the package is installed and the page is built. */
import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build, type Plugin, preview } from 'vite';
import webpack, { type Configuration, type Stats } from 'webpack';
import { packed } from './pack.ts';

const run = promisify(execFile);

/** A photo that is no part of the package. */
const PHOTO = 'public/samples/cat.jpg';

/** How a page comes to the package: as it is, or by a bundler. */
export type Kind = 'plain' | 'vite' | 'webpack';

/** A folder of its own with the package in its node_modules, as `npm install` puts it there. */
export async function install(name: string): Promise<string> {
  const { folder, tarball } = packed();
  const host = join(folder, name);
  await mkdir(host);
  await writeFile(join(host, 'package.json'), '{ "private": true, "type": "module" }');
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', tarball], { cwd: host });
  return host;
}

/** Installs the package, builds the page, and gives the folder that is to be served. */
export async function buildSite(kind: Kind): Promise<string> {
  const host = await install(kind);
  const site = join(host, 'site');
  await cp('e2e/package/host', host, { recursive: true });
  await builders[kind](host, site);
  await cp(PHOTO, join(site, 'photo.jpg'));
  await cp(join(distOf(host), 'models'), join(site, 'models'), { recursive: true });
  return site;
}

/** What the package holds in a host. */
export function distOf(host: string): string {
  return join(host, 'node_modules/narvl-web/dist');
}

const builders: Record<Kind, (host: string, site: string) => Promise<unknown>> = {
  /** No bundler: the package's scripts are served as they are, beside the host's own. */
  async plain(host, site) {
    await cp(distOf(host), join(site, 'narvl'), { recursive: true });
    await cp(join(host, 'index.html'), join(site, 'index.html'));
    for (const name of ['main.js', 'worker.js']) {
      const script = await readFile(join(host, name), 'utf8');
      await writeFile(join(site, name), plain(script));
    }
  },

  vite: (root, outDir) => build({ root, configFile: false, logLevel: 'error', build: { outDir } }),

  async webpack(context, path) {
    const bundle = promisify<Configuration, Stats | undefined>(webpack);
    const stats = await bundle({
      context,
      mode: 'production',
      entry: './main.js',
      output: { path },
      performance: { hints: false }, // WebAssembly is large.
    });
    if (stats?.hasErrors() || stats?.hasWarnings()) throw new Error(stats.toString());
    // Its scripts are classic ones by default.
    const page = await readFile(join(context, 'index.html'), 'utf8');
    await writeFile(join(path, 'index.html'), page.replace('type="module"', 'defer'));
  },
};

/** A host's script with the package's by their addresses, as a page without a bundler has them. */
function plain(script: string): string {
  return script
    .replaceAll("'narvl-web'", "'./narvl/narvl.js'")
    .replaceAll("'narvl-web/widget'", "'./narvl/narvl-image.js'");
}

/** A site that is up. */
export interface Site {
  /** With a slash at its end. */
  readonly url: string;
  /** What browsers reported against the site's policy. */
  readonly violations: string[];
  close(): Promise<void>;
}

/** Of every answer of a site. */
export type Headers = Record<string, string>;

/** Serves a folder. */
export async function serve(folder: string, headers: Headers): Promise<Site> {
  const violations: string[] = [];
  const reports: Plugin = {
    name: 'reports',
    configurePreviewServer: ({ middlewares }) => {
      middlewares.use('/csp-report', async (request, response) => {
        let body = '';
        for await (const chunk of request) body += chunk;
        violations.push(body);
        response.end();
      });
    },
  };
  const server = await preview({
    root: folder,
    configFile: false,
    logLevel: 'error',
    appType: 'mpa',
    build: { outDir: '.' },
    preview: { port: 0, host: 'localhost', headers },
    plugins: [reports],
  });
  const [url = ''] = server.resolvedUrls?.local ?? [];
  return { url, violations, close: () => server.close() };
}
