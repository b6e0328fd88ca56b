/** The runner of stages: limits, failures and crashes, on real processes where it matters. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startProcess } from './process.ts';
import { parseDay, writeDay } from './results.ts';
import { type PartResult, runStages, type StageResult, type Start } from './stages.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'narvl-stages-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Processes that run these scripts, by the part's name. */
function scripts(code: Readonly<Record<string, string>>): Start {
  return (_, part, seconds, onData) => {
    const path = join(folder, `${part}.mjs`);
    writeFileSync(path, code[part] ?? '');
    return startProcess([path, String(seconds)], { NARVL_PART: part }, onData);
  };
}

const outcomes = (results: readonly StageResult[]) =>
  results.flatMap(({ parts }) => parts.map(({ name, state, data }) => [name, state, data]));

const say = (data: string) => `await new Promise((sent) => process.send({ data: ${data} }, sent));`;

test('what is done, fails, crashes or hangs is recorded as such, and the next one runs', async () => {
  const start = scripts({
    good: `${say('1')} ${say('process.env.NARVL_PART')} process.exit(0);`,
    bad: `${say('2')} await new Promise((sent) => process.send({ failure: 'no luck' }, sent)); process.exit(1);`,
    crash: `${say('3')} process.kill(process.pid, 'SIGSEGV');`,
    hang: `process.on('SIGTERM', () => {}); ${say('4')} for (;;);`,
    late: `${say('6')} await new Promise((sent) => process.send({ finished: true }, sent)); process.kill(process.pid, 'SIGSEGV');`,
    last: `${say('5')} process.exit(0);`,
  });
  const limits: Readonly<Record<string, number>> = { hang: 4 };
  const names = ['good', 'bad', 'crash', 'hang', 'late', 'last'];
  const stages = names.map((name) => ({
    name,
    seconds: 30,
    parts: [{ name, ...(limits[name] ? { seconds: limits[name] } : {}) }],
  }));
  const told: (readonly StageResult[])[] = [];
  const results = await runStages(stages, start, (so) => told.push(structuredClone(so) as never));
  expect(outcomes(results)).toEqual([
    ['good', 'done', 'good'],
    ['bad', 'failed', 2],
    ['crash', 'failed', 3],
    ['hang', 'timed out', 4],
    ['late', 'done', 6],
    ['last', 'done', 5],
  ]);
  const reasons = results.flatMap(({ parts }) => parts.map(({ reason }) => reason));
  expect(reasons).toEqual([
    undefined,
    'no luck',
    'it ended by SIGSEGV',
    'cut off after 4 s',
    undefined,
    undefined,
  ]);
  expect(told.at(-1)).toEqual(results);
  // What a part has said is told while it runs, so that nothing is lost if the whole day is cut off.
  const seen = told.flatMap((so) => so.flatMap(({ parts }) => parts));
  expect(seen).toContainEqual(expect.objectContaining({ name: 'hang', state: 'running', data: 4 }));
});

/** Parts that take so long by a clock of their own. */
function pretended(seconds: Readonly<Record<string, number>>) {
  let now = 0;
  const limits: [string, number][] = [];
  const start: Start = (_, part, limit, onData) => {
    limits.push([part, Math.round(limit)]);
    now += 1000 * (seconds[part] ?? 0);
    onData(part);
    return { over: Promise.resolve(undefined), kill: () => {} };
  };
  return { start, limits, clock: () => now };
}

test('time that a stage leaves goes to those behind it, and without any nothing is begun', async () => {
  const { start, limits, clock } = pretended({ a: 4, b: 3, c: 20 });
  const stages = [
    { name: 'one', seconds: 10, parts: [{ name: 'a', seconds: 8 }, { name: 'b' }] },
    { name: 'two', seconds: 10, parts: [{ name: 'c' }, { name: 'd' }] },
    { name: 'three', seconds: 5, parts: [{ name: 'e' }] },
  ];
  const results = await runStages(stages, start, () => {}, clock);
  expect(limits).toEqual([
    ['a', 8],
    ['b', 6],
    ['c', 13],
  ]);
  expect(results.flatMap(({ parts }) => parts.map(({ name, reason }) => [name, reason]))).toEqual([
    ['a', undefined],
    ['b', undefined],
    ['c', undefined],
    ['d', 'no time was left'],
    ['e', 'no time was left'],
  ]);
});

test('parts are skipped for a reason, or once one has said enough', async () => {
  const { start, limits, clock } = pretended({});
  const parts = [{ name: 'a', skip: 'no shader-f16' }, { name: 'b' }, { name: 'c' }, { name: 'd' }];
  const enough = (data: unknown) => data === 'c';
  const [result] = await runStages(
    [{ name: 'one', seconds: 10, parts, enough }],
    start,
    () => {},
    clock,
  );
  expect(limits.map(([name]) => name)).toEqual(['b', 'c']);
  const of = (name: string): PartResult | undefined =>
    result?.parts.find((part) => part.name === name);
  expect(of('a')).toMatchObject({ state: 'not run', reason: 'no shader-f16' });
  expect(of('d')).toMatchObject({ state: 'not run', reason: 'not needed' });
});

test('a process that does not start is a failure', async () => {
  const missing = startProcess([join(folder, 'nowhere.mjs')], {}, () => {});
  expect(await missing.over).toBe('it ended with code 1');
});

test('the file is whole at any time, and another one is no day', () => {
  const path = join(folder, 'gpu-day.json');
  const day = {
    format: 1,
    begun: '2026-11-29T20:00:00.000Z',
    commit: 'abc',
    machine: { processor: 'one', cores: 2, node: 'v20', nvidia: undefined },
  } as const;
  writeDay(path, { ...day, stages: [] });
  const stages: StageResult[] = [
    { name: 'tuning', parts: [{ name: 'tuning', state: 'done', seconds: 1, data: { a: 1 } }] },
  ];
  // What was cut off in the middle of writing leaves a piece beside the file, not in it.
  writeFileSync(`${path}.part`, '{"format": 1, "beg');
  expect(parseDay(readFileSync(path, 'utf8')).stages).toEqual([]);
  writeDay(path, { ...day, stages });
  expect(parseDay(readFileSync(path, 'utf8')).stages).toEqual(stages);

  expect(() => parseDay('{"format": 1, "beg')).toThrow('expected the JSON of a day');
  expect(() => parseDay('{"format": 2}')).toThrow('format: expected 1, got 2');
});
