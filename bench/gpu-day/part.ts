/** A part's process: `node part.mjs STAGE PART SECONDS MODEL PHOTOS`, started by day.ts. */
import { globals } from 'webgpu';
import { reasonOf } from '../measure.ts';
import type { Task } from './parts.ts';
import { send } from './process.ts';

const [stage = '', name = '', seconds, model = '', photos = ''] = process.argv.slice(2);

async function work(task: Task): Promise<void> {
  // A browser has them before any script, and our modules count on it.
  Object.assign(globalThis, globals);
  if (stage === 'kernels') return testKernels(task);
  const { parts } = await import('./parts.ts');
  const part = parts[stage];
  if (!part) throw new Error(`expected a stage, got ${stage}`);
  await part(task);
}

/** Only here is a test runner, and `navigator.gpu` as the tests have it. */
async function testKernels({ tell }: Task): Promise<void> {
  await import('../../e2e/dawn.ts');
  const { runKernelTests } = await import('./kernel-tests.ts');
  const { tests } = await runKernelTests(name, (result) => void tell(result));
  const failed = tests.filter(({ state }) => state === 'failed').length;
  if (failed > 0) throw new Error(`${failed} of ${tests.length} tests failed`);
}

try {
  const tell = (data: unknown) => send({ data });
  await work({ name, seconds: Number(seconds), model, photos, tell });
  await send({ finished: true });
} catch (error) {
  console.error(error);
  await send({ failure: reasonOf(error) });
  process.exit(1);
}
// Dawn keeps Node alive.
process.exit(0);
