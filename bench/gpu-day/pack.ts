/**
 * Packs all that a bare Linux machine needs for a day: Node, Dawn, Vulkan's loader, the model, some
 * photographs, and the tests and the bench as scripts.
 */
import { execFile } from 'node:child_process';
import {
  chmod,
  copyFile,
  cp,
  mkdir,
  readdir,
  realpath,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build, type InlineConfig } from 'vite';

const run = promisify(execFile);

/** The repository's root. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Bytes that an archive has at most. */
export const LARGEST = 64e6;

/** Where Vulkan's loader is looked for: Debian's libvulkan1, or what Chromium brings. */
const LOADERS = [
  '/usr/lib/x86_64-linux-gnu/libvulkan.so.1',
  '/lib/x86_64-linux-gnu/libvulkan.so.1',
  '/usr/lib64/libvulkan.so.1',
  '/usr/lib/chromium/libvulkan.so.1',
];

/**
 * What Node, Dawn and NVIDIA's driver ask for and the smallest systems lack; taken where they are here, and
 * used there only if that machine has none.
 */
const HELPERS = [
  'libstdc++.so.6',
  'libgcc_s.so.1',
  'libX11.so.6',
  'libXext.so.6',
  'libxcb.so.1',
  'libXau.so.6',
  'libXdmcp.so.6',
  'libbsd.so.0',
  'libmd.so.0',
].map((name) => `/usr/lib/x86_64-linux-gnu/${name}`);

const PHOTOS = ['cat', 'coffee', 'astronaut'];

/** What is packed. */
export interface Packing {
  /** The folder that is made anew. */
  readonly folder: string;
  /** Whether the model goes in; without it `run.sh` is told where it is. */
  readonly model: boolean;
  /** The loader of Vulkan, by default where it is found. */
  readonly loader?: string | undefined;
}

/**
 * Makes the folder.
 * @returns its bytes by what they are
 * @throws Error on another system than Linux on x86-64, or if there is no loader.
 */
export async function pack({ folder, model, loader }: Packing): Promise<Map<string, number>> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(
      `Node's own binary is packed: expected Linux on x64, got ${process.platform} on ${process.arch}`,
    );
  }
  const vulkan = await firstOf(loader === undefined ? LOADERS : [loader]);
  if (!vulkan) {
    throw new Error(
      `libvulkan.so.1: expected it in ${(loader === undefined ? LOADERS : [loader]).join(', ')}: ` +
        'apt-get install libvulkan1, or --loader FILE',
    );
  }
  await rm(folder, { recursive: true, force: true });
  await build(bundling(folder));
  const into = (...path: string[]) => join(folder, ...path);
  for (const name of ['bin', 'lib', 'photos']) await mkdir(into(name), { recursive: true });
  await copyFile(process.execPath, into('bin', 'node'));
  await chmod(into('bin', 'node'), 0o755);
  await copyLibrary(vulkan, into('lib', 'libvulkan.so.1'));
  for (const path of HELPERS) {
    if (await exists(path)) await copyLibrary(path, into('lib', path.split('/').at(-1) ?? ''));
  }
  const dawn = join(ROOT, 'node_modules', 'webgpu');
  const there = into('node_modules', 'webgpu');
  for (const file of ['package.json', 'index.js', 'LICENSE.md', 'dist/linux-x64']) {
    await cp(join(dawn, file), join(there, file), { recursive: true });
  }
  for (const name of PHOTOS) {
    await copyFile(join(ROOT, 'public', 'samples', `${name}.jpg`), into('photos', `${name}.jpg`));
  }
  if (model) {
    await cp(join(ROOT, 'public', 'models', 'narvl-photo'), into('model'), { recursive: true });
  }
  await writeFile(into('commit.txt'), `${await commit()}\n`);
  await copyFile(join(ROOT, 'bench', 'gpu-day', 'run.sh'), into('run.sh'));
  await chmod(into('run.sh'), 0o755);
  const entries = await readdir(folder);
  const sizes = await Promise.all(entries.map((name) => bytesOf(into(name))));
  return new Map(entries.map((name, i) => [name, sizes[i] ?? 0]));
}

/**
 * Makes FOLDER.tar.xz beside the folder.
 * @returns its path and bytes
 * @throws Error if it is larger than `LARGEST`, or if tar or xz are not there.
 */
export async function archive(
  folder: string,
  largest = LARGEST,
): Promise<{ path: string; bytes: number }> {
  const path = `${folder}.tar.xz`;
  const [parent, name] = [join(folder, '..'), folder.split('/').at(-1) ?? ''];
  // More would take minutes, and it fits.
  const env = { ...process.env, XZ_OPT: '-2 -T0' };
  const whose = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner'];
  await run('tar', ['--create', '--xz', ...whose, '--file', path, '--directory', parent, name], {
    env,
  });
  const { size: bytes } = await stat(path);
  if (bytes > largest) {
    await rm(path);
    throw new Error(
      `${path}: expected at most ${largest} bytes, got ${bytes}: --without-model is smaller`,
    );
  }
  return { path, bytes };
}

/** The scripts, with everything in them but Dawn, and what only a browser has. */
function bundling(folder: string): InlineConfig {
  return {
    configFile: false,
    root: ROOT,
    logLevel: 'warn',
    publicDir: false,
    ssr: {
      noExternal: true,
      external: ['webgpu', 'onnxruntime-web', '@huggingface/transformers'],
    },
    build: {
      ssr: true,
      outDir: folder,
      emptyOutDir: false,
      target: 'node20',
      rolldownOptions: {
        checks: { pluginTimings: false },
        // Tests export nothing, and package.json says that what is imported for nothing is nothing.
        treeshake: false,
        input: { day: 'bench/gpu-day/day.ts', part: 'bench/gpu-day/part.ts' },
        output: { entryFileNames: '[name].mjs', chunkFileNames: 'scripts/[name]-[hash].mjs' },
      },
    },
  };
}

async function copyLibrary(from: string, to: string): Promise<void> {
  await copyFile(await realpath(from), to);
}

async function firstOf(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) if (await exists(path)) return path;
  return undefined;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Of a file, or of all files in a folder. */
async function bytesOf(path: string): Promise<number> {
  const found = await stat(path);
  if (!found.isDirectory()) return found.size;
  const sizes = await Promise.all((await readdir(path)).map((name) => bytesOf(join(path, name))));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** The repository's commit, with '+' behind it if the tree differs from it. */
async function commit(): Promise<string> {
  const git = async (...args: string[]) => (await run('git', args, { cwd: ROOT })).stdout.trim();
  try {
    const changed = await git('status', '--porcelain', '--untracked-files=no');
    return `${await git('rev-parse', 'HEAD')}${changed ? '+' : ''}`;
  } catch {
    return 'unknown';
  }
}
