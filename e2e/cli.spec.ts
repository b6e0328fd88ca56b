/** `npm run caption` as a user calls it: JSON lines out, one a file, whatever the file. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, type Page, test } from '@playwright/test';

/** What the command printed, and how it ended. */
interface Run {
  readonly lines: string[];
  readonly errors: string;
  readonly status: number;
}

function caption(...args: string[]): Promise<Run> {
  return new Promise((resolve) => {
    execFile('npm', ['run', '--silent', 'caption', '--', ...args], (error, stdout, stderr) => {
      resolve({
        lines: stdout.split('\n').filter(Boolean),
        errors: stderr,
        status: typeof error?.code === 'number' ? error.code : 0,
      });
    });
  });
}

/** A PNG of coloured squares. */
async function drawing(page: Page, hue: number): Promise<Buffer> {
  const url = await page.evaluate((start) => {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [90, 60];
    const context = canvas.getContext('2d');
    for (let i = 0; context && i < 6; i++) {
      context.fillStyle = `hsl(${start + 50 * i} 70% 50%)`;
      context.fillRect((i % 3) * 30, Math.floor(i / 3) * 30, 30, 30);
    }
    return canvas.toDataURL('image/png');
  }, hue);
  return Buffer.from(url.slice(url.indexOf(',') + 1), 'base64');
}

let folder: string;
let files: string[];

test.beforeAll(async ({ browser }) => {
  folder = await mkdtemp(join(tmpdir(), 'narvl-cli-'));
  const page = await browser.newPage();
  files = await Promise.all(
    [0, 120].map(async (hue) => {
      const path = join(folder, `${hue}.png`);
      await writeFile(path, await drawing(page, hue));
      return path;
    }),
  );
  await page.close();
});

test.afterAll(() => rm(folder, { recursive: true }));

test('prints a JSON line a file with the devices that were asked for', async () => {
  const args = ['--json', '--encoder', 'wasm', '--decoder', 'webgpu'];
  const { lines, status } = await caption(...args, ...files);
  expect(status).toBe(0);
  const answers = lines.map((line) => JSON.parse(line));
  expect(answers.map((answer) => answer.file)).toEqual(files);
  for (const answer of answers) {
    expect(answer.text).not.toBe('');
    expect(answer.tokens.length).toBeGreaterThan(0);
    expect(answer.device).toMatchObject({ encoder: 'wasm', decoder: 'webgpu' });
    expect(answer.timings.total).toBeGreaterThan(0);
    expect(answer.cost.submits).toBe(1);
  }
});

test('answers what cannot be read with an error, keeps the order, and goes on', async () => {
  const text = join(folder, 'text.png');
  await writeFile(text, 'not a picture');
  const jobs = join(folder, 'jobs.jsonl');
  const rows = [
    { file: files[0], label: 'first' },
    { file: text },
    { file: join(folder, 'none.jpg') },
    { file: files[1], label: 'last' },
  ];
  await writeFile(jobs, rows.map((row) => JSON.stringify(row)).join('\n'));
  const { lines, status } = await caption('--json', '--batch', '4', '--tasks', jobs);
  expect(status).toBe(1);
  const answers = lines.map((line) => JSON.parse(line));
  expect(answers.map((answer) => answer.error?.code ?? 'caption')).toEqual([
    'caption',
    'unsupported-image',
    'image-unreadable',
    'caption',
  ]);
  expect(answers[0]?.label).toBe('first');
  expect(answers[3]?.label).toBe('last');
});

test('says how it is used when it is used wrongly', async () => {
  const { errors, status } = await caption('--encoder', 'abacus', 'x.jpg');
  expect(status).toBe(2);
  expect(errors).toContain('--encoder: expected webgpu or wasm, got abacus');
  expect(errors).toContain('Usage:');
});
