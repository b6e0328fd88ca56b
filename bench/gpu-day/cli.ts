/** `npm run gpu-day`: packs a day with a GPU, or takes one's results into BENCHMARKS.md. */
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { reasonOf } from '../measure.ts';
import { dayTable, takeInto } from './markdown.ts';
import { archive, pack, ROOT } from './pack.ts';
import { parseDay } from './results.ts';

const usage = `npm run gpu-day -- [--folder gpu-day] [--without-model] [--loader FILE] [--no-archive]
npm run gpu-day -- --take FILE
  --folder         where everything is packed; the archive is FOLDER.tar.xz
  --without-model  for a machine that has the repository too: run.sh gets --model public/models/narvl-photo
  --loader         libvulkan.so.1, where it is not found
  --no-archive     the folder alone
  --take           puts the table of a day's gpu-day.json into BENCHMARKS.md
docs/gpu-day.md says how a day goes.`;

/** A path from where npm was called. */
const from = (path: string) => resolve(process.env.INIT_CWD ?? '.', path);

function parsed() {
  const { values } = parseArgs({
    options: {
      folder: { type: 'string', default: join(ROOT, 'gpu-day') },
      'without-model': { type: 'boolean', default: false },
      'no-archive': { type: 'boolean', default: false },
      loader: { type: 'string' },
      take: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  return values;
}

async function main(): Promise<void> {
  let values: ReturnType<typeof parsed>;
  try {
    values = parsed();
  } catch (error) {
    console.error(`${reasonOf(error)}\n${usage}`);
    process.exitCode = 2;
    return;
  }
  if (values.help) {
    console.error(usage);
    return;
  }
  if (values.take !== undefined) {
    const day = parseDay(await readFile(from(values.take), 'utf8'));
    const path = join(ROOT, 'BENCHMARKS.md');
    await writeFile(path, takeInto(await readFile(path, 'utf8'), dayTable(day)));
    console.log(`${path} has it`);
    return;
  }
  const folder = from(values.folder);
  const sizes = await pack({ folder, model: !values['without-model'], loader: values.loader });
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
  for (const [name, bytes] of sizes) console.log(`${name}: ${megabytes(bytes)}`);
  if (values['no-archive']) return;
  const { path, bytes } = await archive(folder);
  console.log(`${path}: ${megabytes(bytes)}`);
}

try {
  await main();
} catch (error) {
  console.error(`gpu-day: ${reasonOf(error)}`);
  process.exitCode = 1;
}
