/** The command line's half in the browser: asks the model about the files that its other half chose. */
import {
  type AskOptions,
  type Caption,
  type CaptionOptions,
  type DeviceChoice,
  isLost,
  type Look,
  Narvl,
  NarvlError,
  type Timings,
} from '../src/index.ts';

/** What a file comes to, as plain data: a caption, or the answer to a question. */
export type Reply =
  | { readonly ok: true; readonly text: Caption }
  | { readonly ok: false; readonly error: { readonly code: string; readonly message: string } };

/** What the command line calls. */
export interface Host {
  load(model: string, device: DeviceChoice): Promise<void>;
  /** One reply for each file in the page's input, in order. */
  caption(options: CaptionOptions): Promise<Reply[]>;
  /**
   * The answer for the one file in the page's input. Its path says whether it is the file of the
   * question before, which is then not looked at again.
   */
  answer(path: string, question: string, options: AskOptions): Promise<Reply>;
}

declare global {
  var narvlHost: Host;
}

let narvl: Narvl | undefined;
let looked: { readonly path: string; readonly look: Look } | undefined;

function chosen(): { model: Narvl; files: File[] } {
  const input = document.querySelector<HTMLInputElement>('#files');
  if (!narvl || !input?.files) throw new Error('load() comes first');
  return { model: narvl, files: [...input.files] };
}

function toReply(result: Caption | NarvlError): Reply {
  return result instanceof NarvlError
    ? { ok: false, error: { code: result.code, message: result.message } }
    : { ok: true, text: result };
}

/** Stage by stage: who looked for this question waited for both. */
function sum(a: Timings, b: Timings): Timings {
  return {
    image: a.image + b.image,
    preprocess: a.preprocess + b.preprocess,
    vision: a.vision + b.vision,
    fusion: a.fusion + b.fusion,
    decoder: a.decoder + b.decoder,
    search: a.search + b.search,
    total: a.total + b.total,
  };
}

globalThis.narvlHost = {
  async load(model, device) {
    narvl = await Narvl.load(model, { device });
  },

  async caption(options) {
    const { model, files } = chosen();
    try {
      return (await model.captionBatch(files, options)).map(toReply);
    } catch (error) {
      if (!(error instanceof NarvlError)) throw error;
      return files.map(() => toReply(error));
    }
  },

  async answer(path, question, options) {
    const { model, files } = chosen();
    try {
      const kept = looked?.path === path ? looked.look : undefined;
      const answered = await kept?.answer(question, options).catch((error: unknown) => {
        if (!isLost(error)) throw error; // Else its worker has gone since: look again.
      });
      if (answered) return toReply(answered);
      looked?.look.dispose();
      looked = undefined;
      const [file] = files;
      if (!file) throw new Error('Expected a file to be chosen');
      looked = { path, look: await model.look(file) };
      const answer = await looked.look.answer(question, options);
      return toReply({ ...answer, timings: sum(looked.look.timings, answer.timings) });
    } catch (error) {
      if (!(error instanceof NarvlError)) throw error;
      // A look is lost with its worker: the next question about the file looks again.
      if (isLost(error)) looked = undefined;
      return toReply(error);
    }
  },
};
