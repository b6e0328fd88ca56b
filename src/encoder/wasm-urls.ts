/** Where onnxruntime's WebAssembly lies beside our own script: what a bundler copies, never a CDN. */
import asyncify from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url';
import jspi from 'onnxruntime-web/ort-wasm-simd-threaded.jspi.wasm?url';

/** The runtime's two builds by how they wait for the GPU. */
export interface WasmUrls {
  /** By WebAssembly's own promise integration. */
  readonly jspi: string;
  /** By unwinding the stack, where that is missing; larger. */
  readonly asyncify: string;
}

export const wasmUrls: WasmUrls = { jspi, asyncify };
