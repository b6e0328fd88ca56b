/**
 * A model's files: downloaded with progress, checked against the manifest, kept in the browser.
 *
 * The cache is addressed by content: an entry's key holds its SHA-256, so that a new version of a
 * model never meets an old file. Once a version is there as a whole, the one before is let go, and
 * its manifest is kept too, for who is without a network. Of a file that broke off the next visit has what
 * had come.
 */
import { NarvlError } from '../errors.ts';
import { type DownloadOptions, download } from './download.ts';
import { KeptParts } from './kept-parts.ts';
import { type Manifest, parseManifest } from './manifest.ts';
import { checkHashing, sha256 as hashOf } from './sha256.ts';

const CACHE = 'narvl-model-files';

/** The file that is used piece by piece. */
const STREAMED = 'decoder.safetensors';

/** A manifest beyond this is none. */
const LARGEST_MANIFEST = 1 << 20;

/** How often is said how far a download has come, in milliseconds, though nothing comes: it is waited for. */
const BEAT_MS = 1000;

/** The files of a model, whole and checked. */
export interface ModelFiles {
  readonly manifest: Manifest;
  readonly files: { readonly [Name in keyof Manifest['files']]: ArrayBuffer };
}

/** The files of a model whose manifest is there: each comes when it is whole and checked. */
export interface ModelDownload {
  readonly manifest: Manifest;
  /**
   * decoder.safetensors in pieces, as they come. Ends when the file is whole and checked, and fails as
   * its promise rejects; who does not read it cancels it, as it keeps what was not read.
   */
  readonly weights: ReadableStream<Uint8Array>;
  /** Reject with NarvlError `download-failed` or `integrity`. */
  readonly files: { readonly [Name in keyof Manifest['files']]: Promise<ArrayBuffer> };
  /** When all are there; or with what failed first; where that is `integrity`, when the others are given up. */
  readonly all: Promise<ModelFiles>;
}

/** Who may refuse a model. */
export interface Accepting {
  /** Called with the manifest, before anything else is asked for; what it throws ends the download. */
  readonly accept?: ((manifest: Manifest) => Promise<void>) | undefined;
}

/**
 * Starts to fetch everything in the model folder at `url` (absolute, with a slash at its end).
 *
 * @param onBytes told of bytes that have arrived, from network or cache, and of all there will be
 * @throws NarvlError `download-failed`, `integrity` or `invalid-model` for the manifest, and what `accept` does.
 */
export async function downloadModel(
  url: string,
  onBytes: (loaded: number, total: number) => void,
  { accept, ...options }: DownloadOptions & Accepting = {},
): Promise<ModelDownload> {
  checkHashing();
  let [loaded, total] = [0, 0];
  const tell = () => onBytes(loaded, total);
  // Who watches over this worker hears that it lives, however slow the server is.
  const beat = setInterval(tell, BEAT_MS);
  try {
    const cache = await openCache();
    // The manifest is asked for anew each time: it says whether the kept files are still the model.
    const manifestUrl = new URL('manifest.json', url).href;
    const kept = () => match(cache, manifestUrl);
    const body = await download(manifestUrl, { limit: LARGEST_MANIFEST, kept }, options);
    const text = new TextDecoder().decode(body);
    const manifest = parseManifest(text);
    await accept?.(manifest);
    const entries = Object.entries(manifest.files);
    total = entries.reduce((sum, [, file]) => sum + file.bytes, 0);
    tell();
    const weights = new Pieces();
    // Where one file is wrong the others are given up: a server that changed it under way may have
    // changed them, and what they would go on to keep is in the way of the load that follows.
    const wrong = new AbortController();
    const files = entries.map(([name, { bytes, sha256 }]) => {
      const onPiece = (piece: Uint8Array) => {
        if (name === STREAMED) weights.push(piece);
        loaded += piece.byteLength;
        tell();
      };
      const wanted = { url: new URL(name, url), bytes, sha256, onPiece };
      const file = loadFile(wanted, cache, { ...options, signal: wrong.signal });
      file.catch((error) => isWrong(error) && wrong.abort(error));
      if (name === STREAMED) weights.endWith(file);
      return [name, file] as const;
    });
    const settled = Promise.allSettled(files.map(([, file]) => file));
    const all = Promise.all(files.map(async ([name, file]) => [name, await file] as const)).then(
      (whole) => ({ manifest, files: Object.fromEntries(whole) as ModelFiles['files'] }),
      async (error) => {
        if (wrong.signal.aborted) await settled;
        throw error;
      },
    );
    // Who waits for one file need not wait for the others to be told what went wrong.
    all.then(
      () => cache && keepOnly(cache, url, manifestUrl, text, manifest).catch(() => {}),
      () => {},
    );
    void settled.then(() => clearInterval(beat));
    return {
      manifest,
      weights: weights.stream,
      files: Object.fromEntries(files) as ModelDownload['files'],
      all,
    };
  } catch (error) {
    clearInterval(beat);
    throw error;
  }
}

/** All files of a model, as `downloadModel` says. */
export async function loadModelFiles(
  url: string,
  onBytes: (loaded: number, total: number) => void,
  options?: DownloadOptions,
): Promise<ModelFiles> {
  return (await downloadModel(url, onBytes, options)).all;
}

/** A file that a manifest names. */
interface WantedFile {
  readonly url: URL;
  readonly bytes: number;
  readonly sha256: string;
  readonly onPiece: (piece: Uint8Array) => void;
}

async function loadFile(
  { url, bytes, sha256, onPiece }: WantedFile,
  cache: Cache | undefined,
  options: DownloadOptions & { readonly signal: AbortSignal },
): Promise<ArrayBuffer> {
  const key = keyOf(url, sha256);
  const kept = await match(cache, key);
  if (kept) {
    const data = await kept.arrayBuffer().catch(() => undefined);
    if (data?.byteLength === bytes && (await hashOf(data)) === sha256) {
      onPiece(new Uint8Array(data));
      return data;
    }
    await cache?.delete(key).catch(() => undefined);
  }
  const parts = new KeptParts(cache, key);
  const begun = await parts.read(bytes);
  for (const part of begun) onPiece(part);
  const onFresh = (piece: Uint8Array) => {
    parts.push(piece);
    onPiece(piece);
  };
  try {
    const data = await download(url.href, { limit: bytes, begun, onPiece: onFresh }, options);
    await check(url, data, bytes, sha256);
    // A full disk or private mode costs the next visit a download, never this one its captions.
    await cache?.put(key, new Response(data)).catch(() => undefined);
    await parts.drop();
    return data;
  } catch (error) {
    // What broke off is gone on with in another visit; what is wrong, or came beside it, is not.
    if (isWrong(error) || options.signal.aborted) await parts.drop();
    throw error;
  }
}

/** Whether that says of a file that it is not the one that was promised. */
function isWrong(error: unknown): boolean {
  return error instanceof NarvlError && error.code === 'integrity';
}

/** @throws NarvlError `integrity` if these are not the bytes that the manifest promised. */
async function check(url: URL, data: ArrayBuffer, bytes: number, sha256: string): Promise<void> {
  if (data.byteLength !== bytes) {
    throw new NarvlError(
      'integrity',
      `${url.href}: expected ${bytes} bytes, got ${data.byteLength}`,
    );
  }
  const actual = await hashOf(data);
  if (actual !== sha256) {
    throw new NarvlError('integrity', `${url.href}: expected SHA-256 ${sha256}, got ${actual}`);
  }
}

/** A file as a stream that others write. */
class Pieces {
  readonly stream: ReadableStream<Uint8Array>;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;

  constructor() {
    this.stream = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      cancel: () => {
        this.#controller = undefined;
      },
    });
  }

  push(piece: Uint8Array): void {
    this.#controller?.enqueue(piece);
  }

  /** Ends with the file, whether it turns out good or bad. */
  endWith(file: Promise<unknown>): void {
    file.then(
      () => this.#controller?.close(),
      (error) => this.#controller?.error(error),
    );
  }
}

/** The browser's cache, if it lets us have one. */
async function openCache(): Promise<Cache | undefined> {
  if (typeof caches === 'undefined') return undefined;
  return caches.open(CACHE).catch(() => undefined);
}

/** What is kept under `key`; nothing if the cache cannot say. */
async function match(cache: Cache | undefined, key: string): Promise<Response | undefined> {
  return cache?.match(key).catch(() => undefined);
}

function keyOf(url: URL, sha256: string): string {
  const key = new URL(url);
  key.search = `sha256=${sha256}`;
  return key.href;
}

/** Keeps the manifest of a model whose files are all there, and lets go of what else its folder had. */
async function keepOnly(
  cache: Cache,
  folder: string,
  manifestUrl: string,
  text: string,
  { files }: Manifest,
): Promise<void> {
  const current = Object.entries(files).map(([name, { sha256 }]) =>
    keyOf(new URL(name, folder), sha256),
  );
  await cache.put(manifestUrl, new Response(text));
  const wanted = new Set([manifestUrl, ...current]);
  for (const { url } of await cache.keys()) {
    if (new URL('.', url).href === folder && !wanted.has(url)) await cache.delete(url);
  }
}
