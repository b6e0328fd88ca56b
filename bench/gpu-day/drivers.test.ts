/** Which drivers are tried, on made-up systems. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { driversToTry } from './drivers.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'narvl-drivers-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function put(path: string): string {
  const full = join(root, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, '');
  return full;
}

test('what the loader finds, then files where containers have them, then the library alone', () => {
  const file = put('usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json');
  put('usr/local/nvidia/share/vulkan/icd.d/readme.txt');
  const library = put('usr/lib/x86_64-linux-gnu/libEGL_nvidia.so.0');
  const [usual, named, made, ...others] = driversToTry(join(root, 'tmp'), {}, root);
  expect(usual?.env).toEqual({});
  expect(named?.env).toEqual({ VK_DRIVER_FILES: file });
  expect(made?.name).toBe(library);
  expect(others).toEqual([]);
  const written = JSON.parse(readFileSync(made?.env.VK_DRIVER_FILES ?? '', 'utf8'));
  expect(written.ICD.library_path).toBe(library);
});

test('a driver that the caller names is the only one', () => {
  put('etc/vulkan/icd.d/some.json');
  expect(driversToTry(root, { VK_DRIVER_FILES: 'mine.json' }, root)).toHaveLength(1);
  expect(driversToTry(root, {}, root)).toHaveLength(2);
});
