/** What a day says: plain data, kept as one file that is whole at any time. */
import { renameSync, writeFileSync } from 'node:fs';
import * as v from 'valibot';
import type { StageResult } from './stages.ts';

/** Where it ran. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly node: string;
  /** What NVIDIA's own tool says, if it is there: name, driver, memory. */
  readonly nvidia: string | undefined;
}

/** A whole day, or as much of one as there is yet. */
export interface Day {
  readonly format: 1;
  /** When it began, in ISO 8601. */
  readonly begun: string;
  /** Commit of the repository that was packed, with '+' if it had been changed. */
  readonly commit: string;
  readonly machine: Machine;
  readonly stages: readonly StageResult[];
}

/** Writes the file so that it is never there in part: who is cut off keeps the one before. */
export function writeDay(path: string, day: Day): void {
  writeFileSync(`${path}.part`, `${JSON.stringify(day, null, 1)}\n`);
  renameSync(`${path}.part`, path);
}

const shape = v.object({
  format: v.literal(1),
  begun: v.pipe(v.string(), v.isoTimestamp()),
  commit: v.string(),
  machine: v.object({
    processor: v.string(),
    cores: v.number(),
    node: v.string(),
    nvidia: v.optional(v.string()),
  }),
  stages: v.array(
    v.object({
      name: v.string(),
      parts: v.array(
        v.object({
          name: v.string(),
          state: v.picklist(['running', 'done', 'failed', 'timed out', 'not run']),
          seconds: v.number(),
          reason: v.optional(v.string()),
          data: v.optional(v.unknown()),
        }),
      ),
    }),
  ),
});

/** @throws Error that says where a text is no day's. */
export function parseDay(text: string): Day {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Error('expected the JSON of a day, got another text');
  }
  const read = v.safeParse(shape, json);
  if (read.success) return read.output as Day;
  const [issue] = read.issues;
  throw new Error(
    `expected the JSON of a day: ${v.getDotPath(issue) ?? 'it'}: expected ${issue.expected}, got ${issue.received}`,
  );
}
