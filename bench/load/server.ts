/** The built pages on a server as a visitor meets one: behind a line of some speed, compressed, with caching. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize, sep } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';

/** The line between visitor and server. */
export interface Line {
  /** Of all responses together, in millions of bits a second. */
  readonly mbit: number;
  /** Before each response, in milliseconds. */
  readonly delay: number;
}

/** A server that is up. */
export interface LineServer {
  /** With a slash at its end. */
  readonly url: string;
  /** Bytes of bodies that were sent so far. */
  readonly sent: () => number;
  close(): Promise<void>;
}

const PIECE = 16_384;

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
  '.jpg': 'image/jpeg',
};

const compressed = new Set(['.html', '.js', '.css', '.json', '.wasm']);

interface File {
  readonly body: Buffer;
  readonly etag: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Serves a folder. */
export async function serveBehind(folder: string, { mbit, delay }: Line): Promise<LineServer> {
  const files = new Map<string, File | undefined>();
  let sent = 0;
  /** When the line has nothing more to carry. */
  let free = 0;

  const carry = async (body: Buffer, response: ServerResponse) => {
    for (let at = 0; at < body.length; at += PIECE) {
      const piece = body.subarray(at, at + PIECE);
      free = Math.max(free, performance.now()) + piece.length / (mbit * 125);
      await pause(free - performance.now());
      if (response.destroyed) return;
      response.write(piece);
      sent += piece.length;
    }
    response.end();
  };
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (!files.has(pathname)) files.set(pathname, read(folder, decodeURIComponent(pathname)));
    const file = files.get(pathname);
    void pause(delay).then(async () => {
      if (!file) response.writeHead(404).end();
      else if (request.headers['if-none-match'] === file.etag) response.writeHead(304).end();
      else {
        response.writeHead(200, file.headers);
        if (request.method === 'HEAD') response.end();
        else await carry(file.body, response);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://localhost:${port}/`,
    sent: () => sent,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Undefined if there is no such file in the folder. */
function read(folder: string, pathname: string): File | undefined {
  const path = normalize(join(folder, pathname));
  if (!path.startsWith(folder + sep) || !existsSync(path) || !statSync(path).isFile()) {
    return undefined;
  }
  const extension = extname(path);
  const plain = readFileSync(path);
  const body = compressed.has(extension) ? gzipSync(plain) : plain;
  const etag = `"${createHash('sha256').update(plain).digest('hex').slice(0, 16)}"`;
  // What is named by its content never changes.
  const cached = pathname.startsWith('/assets/') ? 'max-age=31536000, immutable' : 'no-cache';
  const headers = {
    'content-type': types[extension] ?? 'application/octet-stream',
    'content-length': String(body.length),
    'cache-control': cached,
    etag,
    ...(compressed.has(extension) ? { 'content-encoding': 'gzip' } : {}),
  };
  return { body, etag, headers };
}
