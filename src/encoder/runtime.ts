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

let wasm = wasmUrls[build];
let loading: Promise<OnnxRuntime> | undefined;

/** Take the WebAssembly from where the page says that it is; before the runtime is loaded. */
export function serveWasmFrom(urls: WasmUrls): void {
  wasm = urls[build];
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
  ort.env.wasm.wasmPaths = { wasm };
  // Threads share memory, which a page may do only when it is isolated; we do not require that.
  ort.env.wasm.numThreads = globalThis.crossOriginIsolated
    ? Math.min(4, navigator.hardwareConcurrency)
    : 1;
  ort.env.logLevel = 'error';
  return ort;
}

/**
 * Why no graph can be run, if that is since the runtime's WebAssembly does not come: it is loaded with
 * the first graph, and what is thrown then does not tell.
 */
export async function whyNoRuntime(): Promise<NarvlError | undefined> {
  const response = await fetch(wasm, { method: 'HEAD' }).catch(() => undefined);
  if (response?.ok) return undefined;
  const got = response ? `status ${response.status}` : 'no answer';
  return new NarvlError(
    'download-failed',
    `${wasm}: expected onnxruntime's WebAssembly, got ${got}`,
  );
}
