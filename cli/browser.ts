/** A headless Chromium with the runtime in it, for the command line. */
import { type Browser, chromium, type Page } from 'playwright';
import { chromiumOptions } from '../e2e/chromium.ts';
import type { AskOptions, CaptionOptions, DeviceChoice } from '../src/index.ts';
import type { Question, Reply } from './host.ts';
import { type LocalServer, startServer } from './server.ts';

/** The runtime in a browser of its own; `close` ends both. */
export class BrowserRuntime {
  readonly #server: LocalServer;
  readonly #browser: Browser;
  readonly #page: Page;

  private constructor(server: LocalServer, browser: Browser, page: Page) {
    this.#server = server;
    this.#browser = browser;
    this.#page = page;
  }

  /** @throws Error in one line if there is no Chromium or the model cannot be loaded. */
  static async start(model: string, device: DeviceChoice): Promise<BrowserRuntime> {
    const browser = await chromium.launch(chromiumOptions());
    let runtime: BrowserRuntime | undefined;
    try {
      const page = await browser.newPage();
      const server = await startServer();
      runtime = new BrowserRuntime(server, browser, page);
      await page.goto(new URL('cli/host.html', server.url).href);
      await page.waitForFunction(() => 'narvlHost' in globalThis);
      await page.evaluate(([url, choice]) => globalThis.narvlHost.load(url, choice), [
        new URL(model, server.url).href,
        device,
      ] as const);
      return runtime;
    } catch (error) {
      await (runtime ?? browser).close();
      // Playwright's message goes on with the page's stack.
      const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
      throw new Error(line.replace(/^page\.\w+: /, ''), { cause: error });
    }
  }

  /** One reply a file, in order. The files go through the network together. */
  async caption(files: readonly string[], options: CaptionOptions): Promise<Reply[]> {
    await this.#page.setInputFiles('#files', [...files]);
    return this.#page.evaluate((given) => globalThis.narvlHost.caption(given), options);
  }

  /** What is asked about a file; further questions in a row do not look at it again. */
  async ask(file: string, question: Question, options: AskOptions): Promise<Reply> {
    await this.#page.setInputFiles('#files', [file]);
    return this.#page.evaluate((given) => globalThis.narvlHost.ask(...given), [
      file,
      question,
      options,
    ] as const);
  }

  async close(): Promise<void> {
    await this.#browser.close();
    await this.#server.close();
  }
}
