/** The tarball without a browser: its form, its types, its size, and what happens where there is no DOM. */
import { execFile } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { expect, test } from '@playwright/test';
import { build, parseSync } from 'vite';
import { bareShaders } from '../../packaging/bare-shaders.ts';
import { distOf, install } from './hosts.ts';
import { packed } from './pack.ts';

const run = promisify(execFile);

/** Output of one of the repository's tools; what is wrong is in the error's message. */
async function tool(name: string, args: string[], cwd = '.'): Promise<string> {
  const path = join(process.cwd(), 'node_modules/.bin', name);
  return run(path, args, { cwd }).then(
    ({ stdout }) => stdout,
    ({ stdout, stderr }) => Promise.reject(new Error(`${name}: ${stdout}${stderr}`)),
  );
}

let host: string;

test.beforeAll(async () => {
  host = await install('node');
});

test('publint and attw find nothing wrong', async () => {
  const { tarball } = packed();
  await tool('publint', ['run', tarball, '--strict']);
  // CommonJS is not offered: what requires it imports it.
  await tool('attw', [tarball, '--profile', 'esm-only']);
});

test('it depends on nothing, and names its licences', async () => {
  const { dependencies } = JSON.parse(
    await readFile(join(host, 'node_modules/narvl-web/package.json'), 'utf8'),
  );
  expect(dependencies).toBeUndefined();
  expect(await readdir(join(host, 'node_modules'))).toEqual(['.package-lock.json', 'narvl-web']);
  const licences = await readFile(join(distOf(host), 'THIRD-PARTY-LICENSES.md'), 'utf8');
  for (const name of ['onnxruntime-web', 'comlink', 'valibot']) expect(licences).toContain(name);
});

test('its types hold in a host that checks them all, however it resolves modules', async () => {
  await writeFile(
    join(host, 'main.ts'),
    `import { type Caption, type LoadOptions, Narvl, NarvlError } from 'narvl-web';
     import { describeImages, NarvlImage } from 'narvl-web/widget';
     const options: LoadOptions = { wasmPaths: { jspi: '/x.wasm' }, device: { decoder: 'wasm' } };
     const narvl = await Narvl.load('/models/', options);
     export const caption: Caption = await narvl.caption(new Blob());
     // @ts-expect-error: a number holds no picture
     await narvl.caption(42);
     NarvlImage.options = options;
     await describeImages(document.body, { model: '/models/' });
     export const error: Error = new NarvlError('aborted', '');`,
  );
  const common = [
    '--noEmit',
    '--strict',
    '--target',
    'es2022',
    '--lib',
    'es2023,dom',
    '--types',
    '',
  ];
  await tool('tsc', [...common, '--module', 'nodenext', 'main.ts'], host);
  await tool(
    'tsc',
    [...common, '--module', 'esnext', '--moduleResolution', 'bundler', 'main.ts'],
    host,
  );
});

/** What a script prints that runs in the host, under Node. */
async function inNode(script: string): Promise<string[]> {
  const args = ['--input-type=module', '--eval', script];
  return (await run(process.execPath, args, { cwd: host })).stdout.trim().split('\n');
}

test('it is imported where there is no DOM, and says what it misses when it is used', async () => {
  const said = await inNode(`
    import { Narvl } from 'narvl-web';
    import 'narvl-web/widget';
    const tried = [
      ['/models/x/'],
      ['http://localhost/models/x/'],
      [undefined],
      ['http://localhost/', { workerUrl: 42 }],
      ['http://localhost/', { wasmPaths: 'http://' }],
      ['http://localhost/', { wasmPaths: { jsep: '/x.wasm' } }],
      ['http://localhost/', { wasmPaths: { jspi: null } }],
      ['http://localhost/', { wasmPaths: null }],
    ];
    for (const [url, options] of tried) {
      await Narvl.load(url, options).catch(({ code, message }) => console.log(code, message));
    }`);
  expect(said).toEqual([
    'invalid-argument Expected the URL of a model folder, got /models/x/',
    'worker-failed The browser refused the worker: Worker is not defined',
    'invalid-argument Expected the URL of a model folder, got undefined',
    'invalid-argument workerUrl: expected a URL, got 42',
    'invalid-argument wasmPaths: expected the URL of a folder, got http://',
    'invalid-argument wasmPaths: expected the URL of a folder or { jspi, asyncify }, got jsep',
    'invalid-argument wasmPaths.jspi: expected a URL, got null',
    'invalid-argument wasmPaths: expected the URL of a folder or { jspi, asyncify }, got null',
  ]);
});

test('the model is found by its address in the package', async () => {
  const [url = ''] = await inNode(`
    console.log(import.meta.resolve('narvl-web/models/narvl-photo/manifest.json'))`);
  const { name } = JSON.parse(await readFile(new URL(url), 'utf8'));
  expect(name).toBe('narvl-photo');
});

test('what a page loads is at most 40 KB gzipped, and of the worker at most 64 KB are ours', async () => {
  const scripts = (await readdir(distOf(host))).filter((name) => /^narvl.*\.js$/.test(name));
  const ofPage = scripts.filter((name) => name !== 'narvl-worker.js');
  const page = await Promise.all(ofPage.map((name) => readFile(join(distOf(host), name), 'utf8')));
  const size = (code: string) => gzipSync(code, { level: 9 }).length;
  const sizes = { page: size(page.join('\n')), worker: size(await ownWorkerCode()) };
  console.log('bytes gzipped:', sizes);
  expect(sizes.page).toBeLessThanOrEqual(40_000);
  expect(sizes.worker).toBeLessThanOrEqual(64_000);
});

test('its scripts import nothing but each other', async () => {
  for (const name of await readdir(distOf(host))) {
    if (!name.endsWith('.js')) continue;
    const { module } = parseSync(name, await readFile(join(distOf(host), name), 'utf8'));
    for (const { moduleRequest } of module.staticImports) {
      expect(moduleRequest.value).toMatch(/^\.\//);
    }
  }
});

/** The worker as it is built, without onnxruntime and what else it depends on. */
async function ownWorkerCode(): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    publicDir: false,
    plugins: [bareShaders()],
    build: {
      write: false,
      target: 'es2022',
      modulePreload: false,
      rolldownOptions: { input: 'src/worker/entry.ts', external: /^[^./\0]/ },
    },
  });
  const [only] = [built].flat();
  if (!only || !('output' in only)) throw new Error('Expected one build');
  return only.output.flatMap((file) => (file.type === 'chunk' ? [file.code] : [])).join('\n');
}
