/** The command lines' options, and what becomes of a report. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { reasonOf } from './measure.ts';
import { type Report, toMarkdown } from './report.ts';
import type { Wanted } from './run.ts';

const usage = `npm run bench -- [--rounds 11] [--paper] [--json FILE]     in Chromium
npm run bench:dawn -- [--rounds 11] [--paper] [--json FILE]    under Dawn in Node
  --rounds  times that each contender is timed
  --paper   the paper's base size too: random weights, slow on a software adapter
  --json    also write the report, which bench.html opens, to a file
npm run bench -- --load --help                                  how long a visit takes to its first caption
npm run bench -- --vision FOLDER                                vision in WebAssembly, of other models too
NARVL_GPU=1 in the environment leaves the adapter to Chromium, for a machine with a GPU.`;

const options = {
  rounds: { type: 'string', default: '11' },
  paper: { type: 'boolean', default: false },
  json: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

/** Parses the arguments, runs the bench and prints its tables; sets the exit code. */
export async function runWith(bench: (wanted: Wanted) => Promise<Report>): Promise<void> {
  const values = parsed();
  const rounds = Number(values?.rounds);
  if (!values || values.help || !Number.isInteger(rounds) || rounds < 1) {
    console.error(usage);
    process.exitCode = values?.help ? 0 : 2;
    return;
  }
  try {
    const report = await bench({ rounds, paper: values.paper });
    console.log(toMarkdown(report));
    // npm changes to the package's folder; the path is meant from where it was called.
    const path = values.json && resolve(process.env.INIT_CWD ?? '.', values.json);
    if (path) await writeFile(path, `${JSON.stringify(report, null, 2)}\n`);
  } catch (error) {
    console.error(`bench: ${reasonOf(error)}`);
    process.exitCode = 1;
  }
}

/** Undefined if an option is not known. */
function parsed() {
  try {
    return parseArgs({ options }).values;
  } catch {
    return undefined;
  }
}
