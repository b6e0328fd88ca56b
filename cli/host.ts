/** The command line's half in the browser: captions the files that its other half has chosen. */
import {
  type CallOptions,
  type Caption,
  type DeviceChoice,
  Narvl,
  NarvlError,
} from '../src/index.ts';

/** A file's answer as plain data. */
export type Answer =
  | { readonly ok: true; readonly caption: Caption }
  | { readonly ok: false; readonly error: { readonly code: string; readonly message: string } };

/** What the command line calls. */
export interface Host {
  load(model: string, device: DeviceChoice): Promise<void>;
  /** One answer for each file in the page's input, in order. */
  caption(options: CallOptions): Promise<Answer[]>;
}

declare global {
  var narvlHost: Host;
}

let narvl: Narvl | undefined;

globalThis.narvlHost = {
  async load(model, device) {
    narvl = await Narvl.load(model, { device });
  },

  async caption(options) {
    const input = document.querySelector<HTMLInputElement>('#files');
    if (!narvl || !input?.files) throw new Error('load() comes first');
    const results = await narvl.captionBatch([...input.files], options);
    return results.map((result) =>
      result instanceof NarvlError
        ? { ok: false, error: { code: result.code, message: result.message } }
        : { ok: true, caption: result },
    );
  },
};
