/** Where a GPU's Vulkan driver may be, on machines that do not tell Vulkan's loader. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A driver to try, and the environment by which it is found. */
export interface Driver {
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Where the loader looks, and where containers have NVIDIA's files. */
const FOLDERS = [
  '/usr/local/nvidia/share/vulkan/icd.d',
  '/usr/share/vulkan/icd.d',
  '/etc/vulkan/icd.d',
  '/usr/local/share/vulkan/icd.d',
];

/** NVIDIA's driver, which asks for libX11 under its first name and for nothing under its second. */
const LIBRARIES = ['libGLX_nvidia.so.0', 'libEGL_nvidia.so.0'];
const LIBRARY_FOLDERS = [
  '/usr/lib/x86_64-linux-gnu',
  '/usr/lib64',
  '/usr/local/nvidia/lib64',
  '/usr/local/nvidia/lib',
  '/usr/lib',
];

/**
 * The drivers to try, in this order: what the loader finds by itself, each file of a driver, and NVIDIA's
 * library without a file. If the environment names drivers, those alone.
 *
 * @param scratch folder for files of our own
 */
export function driversToTry(
  scratch: string,
  env: Readonly<Record<string, string | undefined>>,
  root = '/',
): Driver[] {
  const usual: Driver = { name: "the loader's own choice", env: {} };
  if (env.VK_DRIVER_FILES || env.VK_ICD_FILENAMES) return [usual];
  const files = FOLDERS.map((folder) => join(root, folder))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
    .filter((path) => path.endsWith('.json'));
  const libraries = LIBRARY_FOLDERS.map((folder) => join(root, folder)).flatMap((folder) =>
    LIBRARIES.map((name) => join(folder, name)).filter((path) => existsSync(path)),
  );
  const made = libraries.map((path, i) => {
    mkdirSync(scratch, { recursive: true });
    const file = join(scratch, `driver-${i}.json`);
    const icd = { library_path: path, api_version: '1.3.0' };
    writeFileSync(file, JSON.stringify({ file_format_version: '1.0.1', ICD: icd }));
    return { name: path, env: { VK_DRIVER_FILES: file } };
  });
  return [usual, ...files.map((path) => ({ name: path, env: { VK_DRIVER_FILES: path } })), ...made];
}
