/** onnxruntime-web, its WebAssembly served from our own origin. */
import type * as Ort from 'onnxruntime-web';
import { NarvlError } from '../errors.ts';
import { type WasmUrls, wasmUrls } from './wasm-urls.ts';

/** What the package exports. */
export type OnnxRuntime = typeof Ort;

/**
 * Of the runtime's two builds the one that waits for the GPU by WebAssembly's own promise integration
 * is a third smaller; the other works where that is missing. The package's default entry is neither:
 * it ignores the GPUDevice that it is given.
 */
const promises = 'Suspending' in WebAssembly;
const build = promises ? 'jspi' : 'asyncify';

/** Beyond, cores are small ones, or others need them. */
const MOST_THREADS = 4;

let urls = wasmUrls;
let threads: number | undefined;
let loading: Promise<OnnxRuntime> | undefined;

/** Take the WebAssembly from where the page says that it is; before the runtime is loaded. */
export function serveWasmFrom(served: WasmUrls): void {
  urls = served;
}

/** Where the WebAssembly is. */
export function servedWasm(): WasmUrls {
  return urls;
}

/** Threads that there may be. They share memory, which a page may do only when it is isolated. */
export function mostThreads(): number {
  return globalThis.crossOriginIsolated ? Math.min(MOST_THREADS, navigator.hardwareConcurrency) : 1;
}

/** Run on so many threads, in place of as many as there may be; before the runtime is loaded. */
export function useThreads(count: number): void {
  threads = count;
}

/**
 * The runtime, loaded on first use.
 * @throws NarvlError `download-failed` if its script does not come.
 */
export function onnxRuntime(): Promise<OnnxRuntime> {
  loading ??= load();
  return loading;
}

async function load(): Promise<OnnxRuntime> {
  const importing: Promise<OnnxRuntime> = promises
    ? import('onnxruntime-web/jspi')
    : import('onnxruntime-web/webgpu');
  const ort = await importing.catch((cause: unknown) => {
    throw new NarvlError('download-failed', 'onnxruntime-web: its script did not come', { cause });
  });
  ort.env.wasm.wasmPaths = { wasm: urls[build] };
  ort.env.wasm.numThreads = threads ?? mostThreads();
  ort.env.logLevel = 'error';
  return ort;
}

/**
 * Why no graph can be run, if that is since the runtime's WebAssembly does not come: it is loaded with
 * the first graph, and what is thrown then does not tell.
 */
export async function whyNoRuntime(): Promise<NarvlError | undefined> {
  const wasm = urls[build];
  const response = await fetch(wasm, { method: 'HEAD' }).catch(() => undefined);
  if (response?.ok) return undefined;
  const got = response ? `status ${response.status}` : 'no answer';
  return new NarvlError(
    'download-failed',
    `${wasm}: expected onnxruntime's WebAssembly, got ${got}`,
  );
}
