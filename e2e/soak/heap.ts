/** JavaScript heaps of a page and its worker, by Chromium's own protocol, garbage collected before. */
import type { CDPSession, Page } from 'playwright';

/** Used bytes. */
export interface Heap {
  readonly page: number;
  readonly worker: number;
}

/** Asks the page, and the workers that are started after this. */
export class Heaps {
  readonly #session: CDPSession;
  /** The newest worker's. */
  #worker: string | undefined;
  #messages = 0;
  readonly #waiting = new Map<number, (result: unknown) => void>();

  private constructor(session: CDPSession) {
    this.#session = session;
    session.on('Target.attachedToTarget', ({ sessionId, targetInfo: { type, title } }) => {
      if (type === 'worker' && !title.startsWith('em-pthread')) this.#worker = sessionId;
    });
    session.on('Target.receivedMessageFromTarget', ({ message }) => {
      const { id, result } = JSON.parse(message);
      this.#waiting.get(id)?.(result);
      this.#waiting.delete(id);
    });
  }

  static async of(page: Page): Promise<Heaps> {
    const session = await page.context().newCDPSession(page);
    const heaps = new Heaps(session);
    await session.send('Target.setAutoAttach', {
      autoAttach: true,
      waitForDebuggerOnStart: false,
      flatten: false, // A session of Playwright's speaks to its own target alone.
    });
    return heaps;
  }

  async read(): Promise<Heap> {
    await this.#session.send('HeapProfiler.collectGarbage');
    const { usedSize: page } = await this.#session.send('Runtime.getHeapUsage');
    await this.#askWorker('HeapProfiler.collectGarbage');
    const { usedSize: worker } = (await this.#askWorker('Runtime.getHeapUsage')) as {
      usedSize: number;
    };
    return { page, worker };
  }

  async #askWorker(method: string): Promise<unknown> {
    const sessionId = this.#worker;
    if (!sessionId) throw new Error('No worker was started');
    const id = ++this.#messages;
    const answer = new Promise((resolve) => this.#waiting.set(id, resolve));
    const message = JSON.stringify({ id, method });
    await this.#session.send('Target.sendMessageToTarget', { sessionId, message });
    return answer;
  }
}
