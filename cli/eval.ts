/** `npm run eval -- --dataset DIR`: starts the scorers, which are Python's, where the user stands. */
import { type SpawnSyncOptions, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const VENV = fileURLToPath(new URL('../../venv/bin/python', import.meta.url));

const python = process.env.NARVL_PYTHON ?? (existsSync(VENV) ? VENV : 'python3');

const options: SpawnSyncOptions = {
  // npm goes to the repository's root; paths in the arguments are meant from where the user is.
  cwd: process.env.INIT_CWD ?? process.cwd(),
  env: {
    ...process.env,
    PYTHONPATH: [ROOT, process.env.PYTHONPATH].filter(Boolean).join(delimiter),
    PYTHONSAFEPATH: '1', // A folder there that is called `training` too is not meant.
  },
};

function main(args: readonly string[]): number {
  const check = ['-c', 'import pycocoevalcap, tokenizers'];
  const { error, stderr, status } = spawnSync(python, check, { ...options, encoding: 'utf8' });
  if (status !== 0) {
    const reason = error?.message ?? stderr.trim().split('\n').at(-1);
    console.error(
      `eval: ${python}: ${reason}. The scorers are Python's: pip install -r training/requirements.txt`,
    );
    return 2;
  }
  const evaluation = ['-m', 'training', 'browser_eval', ...args];
  return spawnSync(python, evaluation, { ...options, stdio: 'inherit' }).status ?? 1;
}

process.exitCode = main(process.argv.slice(2));
