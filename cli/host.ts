/** The command line's half in the browser: asks the model about the files that its other half chose. */
import {
  type AskOptions,
  type Caption,
  type CaptionOptions,
  type DeviceChoice,
  type Entailed,
  isLost,
  type Located,
  type Look,
  Narvl,
  NarvlError,
  type Timings,
} from '../src/index.ts';

/** What is asked about a file: a question, where a phrase's thing is, or whether a statement is true. */
export type Question =
  | { readonly ask: string }
  | { readonly locate: string }
  | { readonly entails: string };

/** What a file comes to, as plain data: a caption or an answer, a box, or a label. */
export type Reply =
  | { readonly ok: true; readonly result: Caption | Located | Entailed }
  | { readonly ok: false; readonly error: { readonly code: string; readonly message: string } };

/** What the command line calls. */
export interface Host {
  load(model: string, device: DeviceChoice): Promise<void>;
  /** One reply for each file in the page's input, in order. */
  caption(options: CaptionOptions): Promise<Reply[]>;
  /**
   * What is asked about the one file in the page's input. Its path says whether it is the file of the
   * question before, which is then not looked at again.
   */
  ask(path: string, question: Question, options: AskOptions): Promise<Reply>;
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

function toReply(result: Caption | Located | Entailed | NarvlError): Reply {
  return result instanceof NarvlError
    ? { ok: false, error: { code: result.code, message: result.message } }
    : { ok: true, result };
}

function askLook(
  look: Look,
  question: Question,
  options: AskOptions,
): Promise<Caption | Located | Entailed> {
  if ('locate' in question) return look.locate(question.locate);
  if ('entails' in question) return look.entails(question.entails);
  return look.answer(question.ask, options);
}

/** Stage by stage: who looked for this question waited for both. */
function sum(a: Timings, b: Timings): Timings {
  return {
    image: a.image + b.image,
    preprocess: a.preprocess + b.preprocess,
    vision: a.vision + b.vision,
    fusion: a.fusion + b.fusion,
    decoder: a.decoder + b.decoder,
    network: a.network + b.network,
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

  async ask(path, question, options) {
    const { model, files } = chosen();
    try {
      const kept = looked?.path === path ? looked.look : undefined;
      const answered =
        kept &&
        (await askLook(kept, question, options).catch((error: unknown) => {
          if (!isLost(error)) throw error; // Else its worker has gone since: look again.
        }));
      if (answered) return toReply(answered);
      looked?.look.dispose();
      looked = undefined;
      const [file] = files;
      if (!file) throw new Error('Expected a file to be chosen');
      looked = { path, look: await model.look(file) };
      const answer = await askLook(looked.look, question, options);
      return toReply({ ...answer, timings: sum(looked.look.timings, answer.timings) });
    } catch (error) {
      if (!(error instanceof NarvlError)) throw error;
      // A look is lost with its worker: the next question about the file looks again.
      if (isLost(error)) looked = undefined;
      return toReply(error);
    }
  },
};
