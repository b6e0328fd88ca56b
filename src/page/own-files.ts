/** Where the library's own files are: beside its script, unless the host says otherwise. */
import { type WasmUrls, wasmUrls } from '../encoder/wasm-urls.ts';
import { NarvlError } from '../errors.ts';
import ownWorker from '../worker/entry.ts?worker&url';
import { kindOf } from './kind.ts';
import { absoluteUrl, isUrl } from './urls.ts';

/** Where onnxruntime's builds are; one that is left out is taken from beside the library's script. */
export interface WasmPaths {
  /** `ort-wasm-simd-threaded.jspi.wasm`, for browsers whose WebAssembly can wait for promises. */
  readonly jspi?: string | URL | undefined;
  /** `ort-wasm-simd-threaded.asyncify.wasm`, for the others. */
  readonly asyncify?: string | URL | undefined;
}

/** For hosts that serve the library's files elsewhere than beside its script. */
export interface OwnFileOptions {
  /**
   * URL of `narvl-worker.js`: of the same version as the script, and of the page's origin, since
   * browsers start no worker of another.
   */
  readonly workerUrl?: string | URL | undefined;
  /** URL of the folder that has onnxruntime's WebAssembly under its own names, or one for each file. */
  readonly wasmPaths?: string | URL | WasmPaths | undefined;
}

/** URLs of the library's files. */
export interface OwnFiles {
  readonly worker: string;
  readonly wasm: WasmUrls;
}

/** @throws NarvlError `invalid-argument` that names the option that is not as expected. */
export function ownFiles({ workerUrl, wasmPaths = {} }: OwnFileOptions): OwnFiles {
  return {
    worker: fileUrl('workerUrl', workerUrl) ?? ownWorker,
    wasm: isUrl(wasmPaths) ? wasmIn(wasmPaths) : wasmAt(wasmPaths),
  };
}

/** Both builds in a folder. */
function wasmIn(url: string | URL): WasmUrls {
  const folder = absoluteUrl(url, 'wasmPaths: expected the URL of a folder');
  if (!folder.pathname.endsWith('/')) folder.pathname += '/';
  const { href } = folder;
  return {
    jspi: new URL('ort-wasm-simd-threaded.jspi.wasm', href).href,
    asyncify: new URL('ort-wasm-simd-threaded.asyncify.wasm', href).href,
  };
}

/** Each build at a URL of its own. */
function wasmAt(paths: WasmPaths): WasmUrls {
  const unknown =
    kindOf(paths) === 'Object'
      ? Object.keys(paths).find((key) => !(key in wasmUrls))
      : kindOf(paths);
  if (unknown !== undefined) {
    throw new NarvlError(
      'invalid-argument',
      `wasmPaths: expected the URL of a folder or { jspi, asyncify }, got ${unknown}`,
    );
  }
  return {
    jspi: fileUrl('wasmPaths.jspi', paths.jspi) ?? wasmUrls.jspi,
    asyncify: fileUrl('wasmPaths.asyncify', paths.asyncify) ?? wasmUrls.asyncify,
  };
}

function fileUrl(option: string, url: string | URL | undefined): string | undefined {
  return url === undefined ? undefined : absoluteUrl(url, `${option}: expected a URL`).href;
}
