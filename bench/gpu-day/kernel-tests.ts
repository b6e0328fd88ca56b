/** The kernels' tests that run under Dawn, the same files that vitest's project `dawn` runs. */
import type { VitestRunner } from '@vitest/runner';

const modules = import.meta.glob([
  '../../e2e/kernels/*.test.ts',
  // onnxruntime-web runs in a browser.
  '!../../e2e/kernels/onnx-*.test.ts',
  '!../../e2e/kernels/transformers.test.ts',
]);

/** What became of one test. */
export interface TestResult {
  readonly name: string;
  readonly state: 'passed' | 'failed';
  readonly milliseconds: number;
  readonly message?: string;
}

/** What became of a file's tests, or has yet. */
export interface FileResult {
  readonly tests: readonly TestResult[];
  /** The test that is being run. */
  readonly running?: string;
}

const [before, after] = ['../../e2e/kernels/', '.test.ts'];
/** In this order: first what a caption is made of. */
const FIRST = ['network', 'linear', 'attention', 'vocabulary', 'decoder', 'half.dawn', 'depthwise'];

/** The files' names. */
export const kernelTests: readonly string[] = Object.keys(modules)
  .map((path) => path.slice(before.length, -after.length))
  .sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));

function rank(name: string): number {
  const at = FIRST.indexOf(name);
  return at < 0 ? FIRST.length : at;
}

const pathOf = (name: string) => `${before}${name}${after}`;

/** Vitest keeps this of a worker, and waits by it in `expect.poll`. */
const worker = { config: { expect: {} } };

/**
 * Runs a file's tests as they are, by vitest's own runner, on the device that `navigator.gpu` gives.
 * @throws Error if the file has no tests or cannot be read.
 */
export async function runKernelTests(
  name: string,
  onResult: (result: FileResult) => void,
): Promise<FileResult> {
  Object.assign(globalThis, { __vitest_worker__: worker });
  const { startTests } = await import('@vitest/runner');
  const tests: TestResult[] = [];
  const minute = 60_000;
  const runner: VitestRunner = {
    config: {
      root: '/',
      name: undefined,
      setupFiles: [],
      passWithNoTests: false,
      testNamePattern: undefined,
      allowOnly: false,
      sequence: { seed: 0, hooks: 'stack', setupFiles: 'list' },
      chaiConfig: undefined,
      maxConcurrency: 1,
      testTimeout: 5 * minute,
      hookTimeout: 5 * minute,
      retry: 0,
      includeTaskLocation: false,
      tags: [],
      tagsFilter: undefined,
      strictTags: false,
    },
    importFile: (path) => modules[path]?.(),
    onBeforeRunTask: ({ name: running }) => onResult({ tests: [...tests], running }),
    onAfterRunTask: ({ name: test, result }) => {
      const [error] = result?.errors ?? [];
      tests.push({
        name: test,
        state: result?.state === 'pass' ? 'passed' : 'failed',
        milliseconds: result?.duration ?? 0,
        ...(error ? { message: error.message.slice(0, 2000) } : {}),
      });
      onResult({ tests: [...tests] });
    },
  };
  const [file] = await startTests([pathOf(name)], runner);
  const [error] = file?.result?.errors ?? [];
  if (error) throw new Error(error.message);
  if (tests.length === 0) throw new Error(`${name}: expected tests, got none`);
  return { tests };
}

/** What else a file wants of the adapter. */
export const wantedFeature: Readonly<Record<string, GPUFeatureName>> = {
  'half.dawn': 'shader-f16',
};
