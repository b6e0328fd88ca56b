/**
 * `npm run cases`: the pictures and questions of ../shared/cases in the browser, a row each. Exits with 1 if
 * the runtime is wrong about one; with `--strict` also if the model is.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BrowserRuntime } from '../../cli/browser.ts';
import type { Reply } from '../../cli/host.ts';
import { ROOT } from '../../cli/server.ts';
import { type Came, type Case, cases, keyOf } from './cases.ts';

const { values } = parseArgs({
  options: {
    folder: { type: 'string', default: join(ROOT, '../shared/cases') },
    model: { type: 'string', default: 'models/narvl-photo/' },
    strict: { type: 'boolean', default: false },
  },
});

function cameOf(reply: Reply | undefined): Came {
  if (!reply) throw new Error('The browser left out a file');
  if (!reply.ok) return { error: reply.error };
  if (!('text' in reply.result)) throw new Error('Expected a text');
  const { text, confidence, part } = reply.result;
  return { text, confidence, part };
}

const shown = (came: Came) =>
  'error' in came
    ? `${came.error.code}: ${came.error.message}`
    : `"${came.text}" ${came.confidence.toFixed(2)}${came.part ? ' of a part' : ''}`;

async function main(): Promise<number> {
  const { folder, model, strict } = values;
  const here = cases.filter(({ file }) => {
    if (existsSync(join(folder, file))) return true;
    console.log(`${join(folder, file)} is not there: left out`);
    return false;
  });
  if (here.length === 0) return 1;
  const known = new Map<string, Came>();
  const before = (key: string): Came => {
    const came = known.get(key);
    if (came) return came;
    throw new Error(`Nothing is known of ${key}`);
  };
  const runtime = await BrowserRuntime.start(model, {});
  const count = { right: 0, runtime: 0, model: 0 };
  const run = async ({ file, ask, candidates }: Case): Promise<Came> => {
    const path = join(folder, file);
    if (ask !== undefined) return cameOf(await runtime.ask(path, { ask }, { candidates }));
    return cameOf((await runtime.caption([path], {}))[0]);
  };
  try {
    for (const one of here) {
      const came = known.get(keyOf(one)) ?? (await run(one));
      known.set(keyOf(one), came);
      const right = one.judge(came, before);
      const verdict = right ? 'right' : one.ofTheModel ? 'model' : 'WRONG';
      count[right ? 'right' : one.ofTheModel ? 'model' : 'runtime']++;
      const { file, ask, candidates } = one;
      const question = ask === undefined ? '' : ` ${JSON.stringify(ask.slice(0, 60))}`;
      const among = candidates ? ` of ${candidates.join()}` : '';
      console.log(`${verdict} | ${file}${question}${among} | ${one.right} | ${shown(came)}`);
    }
  } finally {
    await runtime.close();
  }
  const { right, runtime: wrong, model: unknown } = count;
  console.log(
    `${right} of ${here.length} are right; the model does not know ${unknown}, the runtime is wrong about ${wrong}`,
  );
  return wrong > 0 || (strict && unknown > 0) ? 1 : 0;
}

process.exitCode = await main();
