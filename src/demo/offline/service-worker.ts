/**
 * Keeps the page in the browser, so that it opens without a network after the first visit.
 *
 * The model is not among what it keeps: the runtime does that itself, file by file with their hashes. And
 * onnxruntime, which is larger than the model, only once it is used: by whoever has no GPU. A
 * visitor who has a network gets the page as the server has it now; what the build names by its content
 * never changes, and comes from here.
 */

/** What the page asks where onnxruntime is used: to keep that too. Answered by whether it is all there. */
export type PageMessage = 'keep onnxruntime';

/** Written in by the build: what the page is made of, onnxruntime's files, and a hash of it all. */
declare const __OFFLINE__: {
  readonly version: string;
  readonly files: readonly string[];
  readonly runtime: readonly string[];
};

/** What TypeScript's library for documents lacks of a service worker's. */
interface ExtendableEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface FetchEvent extends ExtendableEvent {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}
interface ExtendableMessageEvent extends ExtendableEvent {
  readonly data: unknown;
  readonly ports: readonly MessagePort[];
}
interface ServiceWorkerScope {
  readonly registration: { readonly scope: string };
  readonly clients: { claim(): Promise<void> };
  addEventListener(type: 'install' | 'activate', listener: (event: ExtendableEvent) => void): void;
  addEventListener(type: 'fetch', listener: (event: FetchEvent) => void): void;
  addEventListener(type: 'message', listener: (event: ExtendableMessageEvent) => void): void;
}

/** Longest that a visitor waits for a server that does not answer, before the kept page is shown. */
const PATIENCE_MS = 4000;

const { version, files, runtime } = __OFFLINE__;
const worker = globalThis as unknown as ServiceWorkerScope;
const folder = worker.registration.scope;

/** Of this folder alone: another copy of the page on the same server keeps its own. */
const prefix = `narvl-page ${folder} `;
const cacheName = prefix + version;

/** Of onnxruntime's two builds the one that this browser takes, as `encoder/runtime.ts` chooses. */
const notTaken = 'Suspending' in WebAssembly ? /\.(asyncify|webgpu)\b/ : /\.jspi\b/;

const page = new URL('index.html', folder).href;
const kept = urlsOf(files);
const keptOnceUsed = urlsOf(runtime.filter((file) => !notTaken.test(file)));

worker.addEventListener('install', (event) => event.waitUntil(keepPage()));
worker.addEventListener('activate', (event) => event.waitUntil(dropOthers()));
worker.addEventListener('message', (event) => {
  const [port] = event.ports;
  const wanted: PageMessage = 'keep onnxruntime';
  if (event.data !== wanted || !port) return;
  event.waitUntil(
    keep(keptOnceUsed).then(
      () => port.postMessage(true),
      () => port.postMessage(false),
    ),
  );
});
worker.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  const url = origin + pathname;
  if (request.method !== 'GET') return;
  if (request.mode === 'navigate' && (url === folder || url === page)) {
    event.respondWith(fromNetworkFirst(request));
  } else if (kept.has(url)) {
    event.respondWith(fromCacheFirst(request, url));
  } else if (keptOnceUsed.has(url)) {
    event.respondWith(fromCacheOrKept(request, url));
  }
});

function urlsOf(names: readonly string[]): ReadonlySet<string> {
  return new Set(names.map((file) => new URL(file, folder).href));
}

/** The page, and of onnxruntime what the version before had: it was used here. */
async function keepPage(): Promise<void> {
  const used = await Promise.all(
    [...keptOnceUsed].map(async (url) => ((await caches.match(url)) ? [url] : [])),
  );
  await keep([...kept, ...used.flat()]);
}

async function keep(urls: Iterable<string>): Promise<void> {
  const cache = await caches.open(cacheName);
  await Promise.all(
    [...urls].map(async (url) => {
      // What is named by its content may be here already: from the version before, or as part of this visit.
      const named = url.startsWith(`${folder}assets/`);
      const before = named ? await caches.match(url) : undefined;
      const response = before ?? (await fetch(url, { cache: named ? 'default' : 'no-cache' }));
      if (!response.ok) throw new Error(`${url}: expected status 200, got ${response.status}`);
      await cache.put(url, response);
    }),
  );
}

async function dropOthers(): Promise<void> {
  for (const name of await caches.keys()) {
    if (name.startsWith(prefix) && name !== cacheName) await caches.delete(name);
  }
  await worker.clients.claim();
}

async function fromNetworkFirst(request: Request): Promise<Response> {
  try {
    const response = await fetch(request, { signal: AbortSignal.timeout(PATIENCE_MS) });
    if (response.ok) return response;
  } catch {
    // No network, or a server that does not answer.
  }
  return (await caches.match(page)) ?? fetch(request);
}

/** Whoever asks for it uses it. */
async function fromCacheOrKept(request: Request, url: string): Promise<Response> {
  const before = await caches.match(url);
  if (before) return before;
  const response = await fetch(request);
  if (response.ok) {
    const cache = await caches.open(cacheName);
    // A full disk costs the next visit a download, never this one its captions.
    await cache.put(url, response.clone()).catch(() => undefined);
  }
  return response;
}

async function fromCacheFirst(request: Request, url: string): Promise<Response> {
  return (await caches.match(url)) ?? fetch(request);
}
