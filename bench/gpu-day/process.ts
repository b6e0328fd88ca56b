/** A part as a Node process of its own, which sends what it has over its channel. */
import { spawn } from 'node:child_process';
import type { Running } from './stages.ts';

/** What a part's process sends; `finished` last of all. */
export type Message =
  | { readonly data: unknown }
  | { readonly failure: string }
  | { readonly finished: true };

/**
 * @param args script and arguments
 * @param env added to our own
 */
export function startProcess(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  onData: (data: unknown) => void,
): Running {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...env },
    // Standard output belongs to who called us.
    stdio: ['ignore', process.stderr, process.stderr, 'ipc'],
    serialization: 'json',
  });
  let failure: string | undefined;
  let finished = false;
  let killed = false;
  child.on('message', (message) => {
    // What is still on its way of one that was cut off comes too late.
    if (killed) return;
    const said = message as Message;
    if ('failure' in said) failure = said.failure;
    else if ('finished' in said) finished = true;
    else onData(said.data);
  });
  const over = new Promise<string | undefined>((resolve) => {
    child.on('error', (error) => resolve(`it did not start: ${error.message}`));
    child.on('close', (code, signal) => {
      // Drivers may crash where Dawn is torn down, when all has been said.
      if (failure === undefined && (finished || code === 0)) resolve(undefined);
      else resolve(failure ?? (signal ? `it ended by ${signal}` : `it ended with code ${code}`));
    });
  });
  return {
    over,
    kill: () => {
      killed = true;
      // A driver that hangs answers no other signal.
      child.kill('SIGKILL');
    },
  };
}

/** In a part's process: sends, and waits until it is sent. */
export function send(message: Message): Promise<void> {
  return new Promise((resolve, reject) => {
    if (!process.send) {
      reject(new Error('This script is started by day.mjs'));
      return;
    }
    process.send(message, (error: Error | null) => (error ? reject(error) : resolve()));
  });
}
