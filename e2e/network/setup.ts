/** Before the runtime's tests: a server is up that misbehaves as it is told. */
import type { TestProject } from 'vitest/node';
import { startMisbehavingServer } from './server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** With a slash at its end. */
    misbehaving: string;
    /** How many times as many mutants as usual. */
    mutants: number;
  }
}

/** @returns ends it */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startMisbehavingServer();
  project.provide('misbehaving', server.url);
  project.provide('mutants', Number(process.env.MUTANTS ?? 1));
  return () => server.close();
}
