/** onnxruntime-web, its WebAssembly served from our own origin. */
import type * as Ort from 'onnxruntime-web';
import asyncifyWasm from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url';
import jspiWasm from 'onnxruntime-web/ort-wasm-simd-threaded.jspi.wasm?url';

/** What the package exports. */
export type OnnxRuntime = typeof Ort;

let loading: Promise<OnnxRuntime> | undefined;

/**
 * The runtime, loaded on first use.
 *
 * Of its two builds the one that waits for the GPU by WebAssembly's own promise integration is a
 * third smaller; the other works where that is missing. The package's default entry is neither: it
 * ignores the GPUDevice that it is given.
 */
export function onnxRuntime(): Promise<OnnxRuntime> {
  loading ??= load();
  return loading;
}

async function load(): Promise<OnnxRuntime> {
  const promises = 'Suspending' in WebAssembly;
  const ort: OnnxRuntime = promises
    ? await import('onnxruntime-web/jspi')
    : await import('onnxruntime-web/webgpu');
  ort.env.wasm.wasmPaths = { wasm: promises ? jspiWasm : asyncifyWasm };
  // Threads share memory, which a page may do only when it is isolated; we do not require that.
  ort.env.wasm.numThreads = globalThis.crossOriginIsolated
    ? Math.min(4, navigator.hardwareConcurrency)
    : 1;
  ort.env.logLevel = 'error';
  return ort;
}
