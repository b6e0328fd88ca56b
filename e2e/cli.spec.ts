/** `npm run caption` as a user calls it: a line a file or question, whatever they are. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, type Page, test } from '@playwright/test';

/** What the command printed, and how it ended. */
interface Run {
  readonly lines: string[];
  /** How many of them came in the first piece of output. */
  readonly atFirst: number;
  readonly errors: string;
  readonly status: number;
}

function caption(...args: string[]): Promise<Run> {
  return captionIn('.', ...args);
}

/** As from this folder, in which npm then runs the repository's script. */
function captionIn(cwd: string, ...args: string[]): Promise<Run> {
  const linesOf = (output: string) => output.split('\n').filter(Boolean);
  return new Promise((resolve) => {
    let atFirst = 0;
    const command = ['--prefix', process.cwd(), 'run', '--silent', 'caption', '--', ...args];
    const { stdout } = execFile('npm', command, { cwd }, (error, output, errors) => {
      // Who was ended by a signal has no code.
      const status = typeof error?.code === 'number' ? error.code : error ? -1 : 0;
      resolve({ lines: linesOf(output), atFirst, errors, status });
    });
    stdout?.once('data', (piece) => {
      atFirst = linesOf(String(piece)).length;
    });
  });
}

/** A file of jobs, a line each. */
async function writeJobs(name: string, rows: readonly object[]): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, rows.map((row) => JSON.stringify(row)).join('\n'));
  return path;
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
  const jobs = await writeJobs('unreadable.jsonl', [
    { file: files[0], label: 'first' },
    { file: text },
    { file: join(folder, 'none.jpg') },
    { file: files[1], label: 'last' },
  ]);
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

test('answers a question about each file', async () => {
  const { lines, status } = await caption('--ask', 'What is this?', ...files);
  expect(status).toBe(0);
  expect(lines).toHaveLength(files.length);
  for (const [i, line] of lines.entries()) expect(line).toContain(`${files[i]}: What is this? `);
});

test('answers questions and captions of many kinds in order, each as soon as it is there', async () => {
  const [file] = files;
  const ask = 'How many are there?';
  const jobs = await writeJobs('questions.jsonl', [
    { file, ask, id: 1 },
    { file, ask: 'what colour is it' },
    { file, ask: 'how many are there' },
    { file },
    { file, task: 'caption' },
    { file, task: 'caption-human' },
    { file, ask: '?!' },
    { file, ask: 42 },
    { file, ask, task: 'caption' },
    { file, task: 'sing' },
    { file: join(folder, 'none.jpg'), ask },
    { file: files[1], ask },
  ]);
  const { lines, atFirst, status } = await caption('--json', '--posteriors', '--tasks', jobs);
  expect(status).toBe(1);
  expect(atFirst).toBeLessThan(lines.length);
  const replies = lines.map((line) => JSON.parse(line));
  expect(replies.map(({ error }) => error?.code ?? 'text')).toEqual([
    ...new Array(6).fill('text'),
    ...new Array(4).fill('invalid-argument'),
    'image-unreadable',
    'text',
  ]);
  expect(replies[0]).toMatchObject({ file, ask, id: 1, device: replies[3].device });
  // One question in two spellings; the file is looked at for the first one alone.
  const said = ({ text, tokens, posteriors }: (typeof replies)[number]) => {
    return { text, tokens, posteriors };
  };
  expect(said(replies[2])).toEqual(said(replies[0]));
  expect(said(replies[4])).toEqual(said(replies[3]));
  expect(replies.map(({ timings }) => (timings ? timings.vision > 0 : undefined))).toEqual([
    ...[true, false, false, true, true, true],
    ...new Array(5).fill(undefined),
    true,
  ]);
  expect(replies[0].posteriors.tokens.length).toBeLessThan(replies[3].posteriors.tokens.length);
});

test('gives other texts, and the likeliest path instead of the best text', async () => {
  const [file = ''] = files;
  const found = await caption('--json', '--alternatives', '3', file);
  expect(found.status).toBe(0);
  const { text, alternatives } = JSON.parse(found.lines[0] ?? '');
  expect(alternatives.length).toBeGreaterThan(0);
  expect(alternatives.length).toBeLessThanOrEqual(3);
  for (const other of alternatives) {
    expect(other.text).not.toBe(text);
    expect(other.probability).toBeGreaterThan(0);
  }
  const path = await caption('--json', '--posteriors', '--explain', '--search', 'greedy', file);
  const { tokens, posteriors, attention } = JSON.parse(path.lines[0] ?? '');
  expect(attention.tokens).toHaveLength(tokens.length);
  const likeliest = posteriors.tokens.map(([first]: number[]) => first);
  for (const { id } of tokens) expect(likeliest).toContain(id);
});

test('chooses among candidates, of the command line or of a line of jobs', async () => {
  const [file = ''] = files;
  const ask = 'What colour is it?';
  const { lines } = await caption('--ask', ask, '--candidates', 'red,dark blue', '--json', file);
  const { text, candidates } = JSON.parse(lines[0] ?? '');
  expect(candidates.map((one: { text: string }) => one.text).sort()).toEqual(['dark blue', 'red']);
  expect(text).toBe(candidates[0].text);
  const jobs = await writeJobs('candidates.jsonl', [
    { file, ask, candidates: ['yes', 'no'] },
    { file, candidates: ['some coloured squares', 'a dog'] },
    { file, ask, candidates: 'yes' },
  ]);
  const replies = (await caption('--json', '--tasks', jobs)).lines.map((line) => JSON.parse(line));
  expect(['yes', 'no']).toContain(replies[0].text);
  expect(['some coloured squares', 'a dog']).toContain(replies[1].text);
  expect(replies[2].error).toEqual({
    code: 'invalid-argument',
    message: 'candidates: expected a list of texts, got "yes"',
  });
});

test('points at what is asked for, and judges statements', async () => {
  test.setTimeout(300_000); // Three browsers, one after another.
  const [file = ''] = files;
  const located = await caption('--locate', 'the red square', '--json', file);
  expect(located.status).toBe(0);
  const { box, confidence, device, locate } = JSON.parse(located.lines[0] ?? '');
  expect(locate).toBe('the red square');
  const [x0, y0, x1, y1] = box;
  expect(0 < x0 && x0 < x1 && x1 < 1).toBe(true);
  expect(0 < y0 && y0 < y1 && y1 < 1).toBe(true);
  expect(confidence).toBeLessThanOrEqual(1);
  expect(device.decoder).toBe('webgpu');

  const jobs = await writeJobs('pointing.jsonl', [
    { file, locate: 'the red square', id: 1 },
    { file, entails: 'there are squares' },
    { file, locate: '?!' },
    { file, entails: 7 },
    { file, locate: 'a square', entails: 'there are squares' },
    { file, locate: 'a square', candidates: ['a', 'b'] },
    { file },
  ]);
  const { lines, status } = await caption('--json', '--tasks', jobs);
  expect(status).toBe(1);
  const replies = lines.map((line) => JSON.parse(line));
  expect(replies.map(({ error }) => error?.code ?? 'found')).toEqual([
    ...['found', 'found'],
    ...new Array(4).fill('invalid-argument'),
    'found',
  ]);
  expect(replies[0]).toMatchObject({ box, id: 1 });
  // The file is looked at for the first alone.
  expect(replies[1].timings.vision).toBe(0);
  const { label, probabilities } = replies[1];
  expect(Object.keys(probabilities)).toEqual(['entailment', 'neutral', 'contradiction']);
  expect(probabilities[label]).toBe(Math.max(...Object.values<number>(probabilities)));
  expect(replies[4].error.message).toBe('Expected locate or entails, got 2 of them');

  const plain = await caption('--entails', 'there are squares', file);
  expect(plain.lines).toEqual([`${file}: there are squares ${label}`]);
});

test('takes paths from where it is called', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'narvl-cli-'));
  try {
    await writeFile(join(folder, 'here.png'), 'no picture');
    const { lines, status } = await captionIn(folder, '--json', 'here.png');
    expect(JSON.parse(lines[0] ?? '{}')).toMatchObject({
      file: 'here.png',
      error: { code: 'unsupported-image' },
    });
    expect(status).toBe(1);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('says how it is used when it is used wrongly', async () => {
  const { errors, status } = await caption('--encoder', 'abacus', 'x.jpg');
  expect(status).toBe(2);
  expect(errors).toContain('--encoder: expected webgpu or wasm, got abacus');
  expect(errors).toContain('Usage:');
  const few = await caption('--alternatives', 'some', 'x.jpg');
  expect(few.status).toBe(2);
  expect(few.errors).toContain('--alternatives: expected a whole number from 0 on, got some');
  const both = await caption('--ask', 'why?', '--task', 'caption', 'x.jpg');
  expect(both.status).toBe(2);
  expect(both.errors).toContain('--ask and --task: expected one of them');
  const three = await caption('--locate', 'a dog', '--entails', 'a dog runs', 'x.jpg');
  expect(three.status).toBe(2);
  expect(three.errors).toContain('--locate and --entails: expected one of them');
  const asked = await caption('--ask', 'why?', '--tasks', 'x.jsonl');
  expect(asked.status).toBe(2);
  expect(asked.errors).toContain('--ask and --tasks: expected one of them');
  const folder = await mkdtemp(join(tmpdir(), 'narvl-cli-'));
  try {
    const tasks = join(folder, 'tasks.jsonl');
    await writeFile(tasks, '{"file": "x.jpg"}\n\n{"file": \n');
    const torn = await caption('--tasks', tasks);
    expect(torn.status).toBe(2);
    expect(torn.errors).toContain('line 3: expected {"file": …}, got {"file":');
  } finally {
    await rm(folder, { recursive: true });
  }
});
