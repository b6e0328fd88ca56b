/** A file's bytes from a server: slow ones are waited for, and what breaks off is gone on with. */
import { NarvlError } from '../errors.ts';

/** How long a server may say nothing, in milliseconds, before the connection is given up. */
const STALL_MS = 60_000;

/** Pauses before a connection that brought nothing is tried again, in milliseconds; then it is given up. */
const PAUSES_MS: readonly number[] = [500, 1000, 2000];

/** How a download is waited for; tests are less patient. */
export interface DownloadOptions {
  readonly stall?: number | undefined;
  readonly pauses?: readonly number[] | undefined;
  /** Gives the download up. */
  readonly signal?: AbortSignal | undefined;
}

/** What of a file is wanted. */
export interface Wanted {
  /** Bytes at most: one more is an error. */
  readonly limit: number;
  /** What there is in place of an answer, where nobody gives one. */
  readonly kept?: (() => Promise<Response | undefined>) | undefined;
  /** Its first bytes, which are there already and not asked for. */
  readonly begun?: readonly Uint8Array[] | undefined;
  readonly onPiece?: ((piece: Uint8Array) => void) | undefined;
}

/**
 * The body of `url`. Where a connection breaks off under way the rest is asked for, as often as some of
 * it comes. Whether the parts are of one file says the caller's hash: an ETag says less, and other origins do
 * not show theirs.
 *
 * @throws NarvlError `download-failed`, or `integrity` for more bytes than `limit`.
 */
export async function download(
  url: string,
  { limit, kept, begun = [], onPiece = () => {} }: Wanted,
  { stall = STALL_MS, pauses = PAUSES_MS, signal }: DownloadOptions = {},
): Promise<ArrayBuffer> {
  const chunks = [...begun];
  let length = begun.reduce((sum, piece) => sum + piece.byteLength, 0);
  let began = false;
  let fruitless = 0;
  for (;;) {
    const before = length;
    try {
      await readFrom(url, before, stall, signal, {
        kept: before === 0 ? kept : undefined,
        onBegin: () => {
          began = true;
        },
        onPiece: (piece) => {
          length += piece.byteLength;
          if (length > limit) {
            throw new NarvlError('integrity', `${url}: expected at most ${limit} bytes, got more`);
          }
          chunks.push(piece);
          onPiece(piece);
        },
      });
      return joined(chunks, length);
    } catch (cause) {
      if (signal?.aborted) {
        throw new NarvlError('download-failed', `${url}: given up after ${length} bytes`, {
          cause: signal.reason,
        });
      }
      // What never began is the server's answer, or there is no network: who waits is told at once.
      if (cause instanceof NarvlError && (cause.code === 'integrity' || !began)) throw cause;
      fruitless = length > before ? 0 : fruitless + 1;
      const pause = pauses[fruitless];
      if (pause === undefined) {
        throw new NarvlError('download-failed', `${url}: broke off after ${length} bytes`, {
          cause,
        });
      }
      await pauseFor(pause, signal);
    }
  }
}

/** Waits, but not for what is given up meanwhile. */
async function pauseFor(milliseconds: number, signal?: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Reads a body from byte `start` on. @throws NarvlError `download-failed`, and what `onPiece` throws. */
async function readFrom(
  url: string,
  start: number,
  stall: number,
  givenUp: AbortSignal | undefined,
  {
    kept,
    onBegin,
    onPiece,
  }: Pick<Wanted, 'kept'> & { onBegin: () => void; onPiece: (piece: Uint8Array) => void },
): Promise<void> {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => controller.abort(), stall);
  };
  heard();
  const giveUp = () => controller.abort();
  givenUp?.addEventListener('abort', giveUp);
  try {
    givenUp?.throwIfAborted();
    const response = await request(url, start, controller.signal, kept);
    onBegin();
    // A server that knows no ranges begins anew: what is there already is passed over.
    let known = response.status === 206 ? 0 : start;
    const reader = response.body?.getReader();
    if (!reader) return;
    for (;;) {
      heard();
      const { done, value } = await reader.read();
      if (done) return;
      const fresh = value.subarray(Math.min(known, value.byteLength));
      known -= value.byteLength - fresh.byteLength;
      if (fresh.byteLength === 0) continue;
      try {
        onPiece(fresh);
      } catch (error) {
        await reader.cancel();
        throw error;
      }
    }
  } catch (cause) {
    if (cause instanceof NarvlError) throw cause;
    const what = controller.signal.aborted ? `nothing for ${stall / 1000} seconds` : 'broke off';
    throw new NarvlError('download-failed', `${url}: ${what}`, { cause });
  } finally {
    clearTimeout(timer);
    givenUp?.removeEventListener('abort', giveUp);
  }
}

/** @throws NarvlError `download-failed`. */
async function request(
  url: string,
  start: number,
  signal: AbortSignal,
  kept: Wanted['kept'],
): Promise<Response> {
  let response: Response;
  try {
    // The browser's own cache may have the file of a version before, and would not ask; and of a
    // file that broke off it may have a part of its own.
    response = await (start === 0
      ? fetch(url, { cache: 'no-cache', signal })
      : fetch(url, { cache: 'no-store', signal, headers: { Range: `bytes=${start}-` } }));
  } catch (cause) {
    const instead = await kept?.();
    if (instead) return instead;
    const what = signal.aborted ? 'no answer in time' : 'no answer';
    throw new NarvlError('download-failed', `${url}: ${what}`, { cause });
  }
  if (!response.ok) {
    throw new NarvlError('download-failed', `${url}: expected status 200, got ${response.status}`);
  }
  return response;
}

function joined(chunks: readonly Uint8Array[], length: number): ArrayBuffer {
  const data = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    data.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return data.buffer;
}
