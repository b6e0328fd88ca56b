/** What is packed runs outside the repository, as far as it can where there is no driver at all. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FileResult, kernelTests } from './kernel-tests.ts';
import { archive, pack, ROOT } from './pack.ts';
import { startProcess } from './process.ts';
import { parseDay } from './results.ts';

let parent = '';
beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'narvl-pack-'));
});
afterAll(() => rm(parent, { recursive: true, force: true }));

/** Exit code and what was said. */
function run(file: string, args: readonly string[]): Promise<{ code: number; said: string }> {
  const env = { ...process.env, VK_DRIVER_FILES: join(parent, 'no-driver.json') };
  return new Promise((resolve) => {
    execFile(file, args, { cwd: parent, env }, (error, _, said) =>
      resolve({ code: error ? Number(error.code) : 0, said }),
    );
  });
}

test('it starts, and says of a machine without a GPU what was tried', async () => {
  const folder = join(parent, 'gpu-day');
  const loader = join(parent, 'libvulkan.so.1');
  await writeFile(loader, '');
  const sizes = await pack({ folder, model: false, loader });
  expect([...sizes.keys()].sort()).toEqual(
    [
      ...['bin', 'commit.txt', 'day.mjs', 'lib', 'node_modules', 'part.mjs', 'photos'],
      ...['run.sh', 'scripts'],
    ].sort(),
  );
  const out = join(parent, 'out');
  const without = await run(join(folder, 'run.sh'), [out]);
  expect(without).toMatchObject({ code: 2 });
  expect(without.said).toContain('--model: expected a folder with a manifest.json');

  const model = join(ROOT, 'public/models/narvl-photo');
  const { code, said } = await run(join(folder, 'run.sh'), [out, '--model', model]);
  expect(code, said).toBe(3);
  const { stages, commit } = parseDay(await readFile(join(out, 'gpu-day.json'), 'utf8'));
  expect(commit).toMatch(/^[0-9a-f]{40}\+?$/);
  expect(stages).toMatchObject([
    { name: 'adapter', parts: [{ state: 'failed', reason: 'WebGPU has no adapter here' }] },
  ]);

  // The tests too, which fail here, each for want of a GPU.
  let last: unknown;
  const script = join(folder, 'part.mjs');
  const env = { VK_DRIVER_FILES: join(parent, 'no-driver.json') };
  const testing = startProcess([script, 'kernels', 'tune', '60', model, ''], env, (data) => {
    last = data;
  });
  expect(await testing.over).toBe('3 of 3 tests failed');
  const { tests } = last as FileResult;
  expect(tests[0]).toMatchObject({
    name: 'of those that can be built, the one with the least median',
    state: 'failed',
    message: 'WebGPU has no adapter here',
  });
  // It bundles, and copies 120 MB: seconds, on a busy machine a minute.
}, 180_000);

test('the tests of the kernels are packed, but those that want a browser', () => {
  expect(kernelTests).toEqual(expect.arrayContaining(['network', 'half.dawn', 'linear']));
  expect(kernelTests.filter((name) => /^onnx|^transformers/.test(name))).toEqual([]);
});

test('an archive that is too large is none', async () => {
  const folder = join(parent, 'small');
  await mkdir(folder);
  await writeFile(join(folder, 'file'), 'text');
  const { path, bytes } = await archive(folder);
  expect((await stat(path)).size).toBe(bytes);
  await expect(archive(folder, 10)).rejects.toThrow('expected at most 10 bytes');
  await expect(stat(path)).rejects.toThrow();
});
