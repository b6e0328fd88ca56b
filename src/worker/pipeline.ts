/**
 * The whole flow from an image to words, in one place:
 *
 *     image → pixels → [preprocess] → [vision] → features
 *     features + prompt → [fusion] → memory → [decoder] → slots → search → text, box or label
 *
 * On WebGPU the brackets are dispatches of one command encoder (`GpuNetwork`), and nothing but each slot's
 * likeliest tokens and the names of what is seen comes back; for a box every location token's, and the phrase map
 * of models that have one. Elsewhere, and for models of another kind, onnxruntime runs vision.onnx and fusion.onnx
 * (`Encoder`). The first line is a look, which can be kept; the second is what each prompt asked of it costs.
 */
import { choose, readCandidates } from '../decode/candidates.ts';
import { type Reading, readAlternatives, readDecoding } from '../decode/caption.ts';
import type { Judgement } from '../decode/confidence.ts';
import { labelCandidates, readEntailment } from '../decode/entailment.ts';
import { explain } from '../decode/explain.ts';
import { locationTokens, readLocation } from '../decode/location.ts';
import { Searches, search, withNames } from '../decode/search.ts';
import {
  Encoder,
  type EncoderPixels,
  type EncoderPrompt,
  type Features,
  type Fused,
} from '../encoder/encoder.ts';
import { NarvlError } from '../errors.ts';
import { bufferUse } from '../gpu/buffers.ts';
import { GpuDecoder } from '../gpu/decoder.ts';
import type { Gpu } from '../gpu/device.ts';
import { GpuNetwork, GpuSight, type NetworkResult } from '../gpu/network.ts';
import { GpuPreprocessor } from '../gpu/preprocess.ts';
import type { DecodeRequest, DecoderCost, Decoding, QueryRange } from '../model/decoder.ts';
import { downloadModel } from '../model/files.ts';
import type { RgbaPixels } from '../model/image.ts';
import { noteSince, takeStages } from '../model/load-stages.ts';
import {
  type CaptionTask,
  captionTasks,
  findCaptionTask,
  findTask,
  type Manifest,
  type OnlyTask,
  onlyTask,
  wordCount,
} from '../model/manifest.ts';
import type { Name } from '../model/name.ts';
import { checkMemory, needsOf } from '../model/needs.ts';
import { readQuestion } from '../model/question.ts';
import { fillPrompt, readText } from '../model/text.ts';
import { Tokenizer } from '../model/tokenizer.ts';
import {
  type AskRequest,
  type Device,
  type ImagesRequest,
  type LoadTimes,
  type LookAskRequest,
  type LookRequest,
  type MemoryUse,
  MOST_LOOKS,
  type ModelInfo,
  type OpenRequest,
  type Outcome,
  type PixelLimits,
  type Progress,
  type Reply,
  type Timings,
  type Wanted,
  type WireImage,
} from '../protocol.ts';
import { preprocess } from '../reference/preprocess.ts';
import {
  bitsOf,
  type Chosen,
  chooseDevice,
  chooseGpu,
  type Decoder,
  fitting,
  openDecoder,
  openEncoder,
  readChoice,
  readOwnNetwork,
  withDecoder,
  withoutGpu,
} from './devices.ts';
import { outcomeOf } from './outcome.ts';
import { type Picture, readPixels } from './pixels.ts';

/** A picture with what it took to read it. */
interface Read extends Picture {
  readonly milliseconds: number;
}

/** What is known of an image beside its pixels. */
type View = Pick<Picture, 'size' | 'part'>;

/** Images as the network sees them, and what it took each to get there. */
interface Sight {
  readonly features: Features | GpuSight;
  readonly views: readonly View[];
  readonly timings: readonly Timings[];
}

/** What one image's slots say: a text, a box or a label. */
type Finding = Reading | ReturnType<typeof readLocation> | ReturnType<typeof readEntailment>;

/** One image's decoding, and what else it is read with. */
interface Decoded {
  readonly decoding: Decoding;
  readonly names: readonly Name[];
  /** Its phrase map, [cells], if the prompt asks for it. */
  readonly places: Float32Array | undefined;
  readonly view: View;
}

/** What the network is to read beside an image, and the slots that are to answer. */
interface Prompt {
  /** Token ids, filled up to the manifest's prompt length. */
  readonly ids: Int32Array;
  /** How many of them say something. */
  readonly used: number;
  /** Whether it asks for the phrase map, which the model then has. */
  readonly places?: boolean;
  readonly queries: QueryRange;
  /** What the decoder is to say of those slots. */
  readonly wanted: Omit<DecodeRequest, 'memoryLengths' | 'queries'>;
  /** What that means. */
  read(decoded: Decoded): Finding;
}

/** A model on its devices. Its callers see to it that no two calls overlap. */
export class Pipeline {
  readonly #manifest: Manifest;
  readonly #tokenizer: Tokenizer;
  readonly #device: Device;
  readonly #gpu: Gpu | undefined;
  readonly #preprocessor: GpuPreprocessor | undefined;
  /** Vision and fusion: our kernels with the decoder behind them, or onnxruntime. */
  readonly #encoder: GpuNetwork | Encoder;
  readonly #decoder: Decoder;
  readonly #searches: Searches;
  readonly #limits: PixelLimits;
  readonly #load: LoadTimes;
  readonly #looks = new Map<number, Sight>();
  #lost: NarvlError | undefined;

  private constructor(parts: {
    manifest: Manifest;
    tokenizer: Tokenizer;
    device: Device;
    gpu: Gpu | undefined;
    preprocessor: GpuPreprocessor | undefined;
    encoder: GpuNetwork | Encoder;
    decoder: Decoder;
    searches: Searches;
    limits: PixelLimits;
    load: LoadTimes;
  }) {
    this.#manifest = parts.manifest;
    this.#tokenizer = parts.tokenizer;
    this.#device = parts.device;
    this.#gpu = parts.gpu;
    this.#preprocessor = parts.preprocessor;
    this.#encoder = parts.encoder;
    this.#decoder = parts.decoder;
    this.#searches = parts.searches;
    this.#limits = parts.limits;
    this.#load = parts.load;
    // On a lost device the runtime goes on answering; only this tells.
    void parts.gpu?.lost.then((error) => {
      this.#lost = error;
    });
  }

  /**
   * Downloads, checks and prepares a model; whatever has come is prepared while the rest comes.
   * @throws NarvlError as `Narvl.load` does.
   */
  static async open(
    { url, device: wanted, limits = {}, mostMemory, fallback: given }: OpenRequest,
    onProgress: (progress: Progress) => void,
  ): Promise<Pipeline> {
    const choice = given === undefined ? readChoice(wanted) : withoutGpu(readChoice(wanted));
    const script = performance.now(); // Counted from the worker's start.
    takeStages();
    let bytes = { loaded: 0, total: 0 };
    const offered = given === undefined ? chooseGpu(choice) : Promise.resolve(undefined);
    offered.catch(() => {}); // Heard of once there is a manifest.
    let chosen: Chosen = { gpu: undefined, fallback: given };
    const onBytes = (loaded: number, total: number) => {
      bytes = { loaded, total };
      onProgress({ stage: 'download', ...bytes });
    };
    const { manifest, weights, files, all } = await downloadModel(url, onBytes, {
      accept: async (model) => {
        const needs = needsOf(model, choice.weightBits ?? 32);
        if (mostMemory !== undefined) checkMemory(needs, mostMemory);
        chosen = fitting(await offered, choice, needs, given);
      },
    });
    const { gpu, fallback } = chosen;
    const device = chooseDevice(choice, gpu, manifest);
    const own = readOwnNetwork(device, { manifest, files });
    const opening = openEncoder(device, choice, gpu, { manifest, files }, own, () =>
      onProgress({ stage: bytes.loaded < bytes.total ? 'download' : 'prepare', ...bytes }),
    );
    const [decoder, before, { tokenizer, searches }] = await Promise.all([
      openDecoder(device.decoder, choice, gpu, { manifest, weights, files }, opening, own),
      opening,
      all.then((model) => {
        noteSince(script, 'download');
        onProgress({ stage: 'prepare', ...bytes });
        const { 'tokenizer.json': file } = model.files;
        const tokenizer = new Tokenizer(file, wordCount(manifest));
        return { tokenizer, searches: new Searches(model, (id) => tokenizer.begins(id)) };
      }),
    ]);
    const encoder = withDecoder(before, decoder);
    const onGpu = encoder instanceof Encoder && device.encoder === 'webgpu' && gpu;
    const preprocessor = onGpu
      ? await GpuPreprocessor.create(onGpu.device, manifest.image)
      : undefined;
    return new Pipeline({
      manifest,
      tokenizer,
      device: { ...device, ...bitsOf(decoder), ...(fallback === undefined ? {} : { fallback }) },
      gpu,
      preprocessor,
      encoder,
      decoder,
      searches,
      limits,
      load: { ...takeStages(), script, total: performance.now() },
    });
  }

  /** What it holds at this moment; onnxruntime's own buffers are not known. */
  get memory(): MemoryUse {
    const { buffers, bytes } = this.#gpu ? bufferUse(this.#gpu.device) : noBuffers;
    return { gpuBuffers: buffers, gpuBytes: bytes, looks: this.#looks.size };
  }

  get info(): ModelInfo {
    return {
      name: this.#manifest.name,
      device: this.#device,
      tasks: [...captionTasks(this.#manifest).keys()],
      answers: onlyTask(this.#manifest, 'answer') !== undefined,
      locates: onlyTask(this.#manifest, 'locate') !== undefined,
      entails: onlyTask(this.#manifest, 'entail') !== undefined,
      load: this.#load,
    };
  }

  /**
   * One outcome an image, in order.
   * @throws NarvlError for what concerns them all: `invalid-argument`, `device-lost`, `aborted`.
   */
  async askImages(request: ImagesRequest, signal: AbortSignal): Promise<Outcome<Reply>[]> {
    const prompt = this.#readPrompt(request);
    const reads: Outcome<Read>[] = [];
    for (const image of request.images) {
      // One at a time: a photo may take half a gigabyte until it is scaled.
      reads.push(await readOutcome(image, this.#limits));
      signal.throwIfAborted();
    }
    const good = reads.flatMap((read) => (read.ok ? [read.value] : []));
    if (good.length === 0) return reads.filter((read) => !read.ok);
    const sight = await this.#see(good, signal);
    let replies: Reply[];
    try {
      replies = await this.#write(sight, prompt, signal);
    } finally {
      sight.features.dispose();
    }
    return reads.map((read) => {
      if (!read.ok) return read;
      const reply = replies.shift();
      if (!reply) throw new NarvlError('worker-failed', 'The decoder left out an image');
      return { ok: true, value: reply };
    });
  }

  /**
   * Looks at an image and keeps what the network saw, until `forget`.
   * @throws NarvlError `too-many-looks`, `device-lost`, `aborted`, or what is wrong with the image.
   */
  async look({ image, look }: LookRequest, signal: AbortSignal): Promise<Timings> {
    if (this.#looks.size >= MOST_LOOKS) {
      throw new NarvlError(
        'too-many-looks',
        `Expected fewer than ${MOST_LOOKS} looks to be alive, got ${this.#looks.size}: ` +
          'dispose of some',
      );
    }
    const read = await readImage(image, this.#limits);
    signal.throwIfAborted();
    const sight = await this.#see([read], signal);
    this.#looks.set(look, sight);
    const clock = new Stopwatch();
    if (sight.features instanceof GpuSight) await sight.features.keep();
    const kept = clock.lap();
    this.#checkAlive(signal); // The page forgets a look that failed, behind this job.
    const { vision, total, ...before } = sight.timings[0] ?? noTime;
    return { ...before, vision: vision + kept, total: total + kept };
  }

  /** @throws NarvlError `invalid-argument`, `disposed`, `device-lost` or `aborted`. */
  async askLook(request: LookAskRequest, signal: AbortSignal): Promise<Reply> {
    const prompt = this.#readPrompt(request);
    const sight = this.#looks.get(request.look);
    if (!sight) throw new NarvlError('disposed', 'The look was disposed');
    const [reply] = await this.#write({ ...sight, timings: [noTime] }, prompt, signal);
    if (!reply) throw new NarvlError('worker-failed', 'The decoder left out the look');
    return reply;
  }

  /** Frees a look, if there is one of that name. */
  forget(look: number): void {
    this.#looks.get(look)?.features.dispose();
    this.#looks.delete(look);
  }

  /** @throws NarvlError `invalid-argument` for a prompt that the model cannot take. */
  #readPrompt({ ask, ...wanted }: AskRequest): Prompt {
    switch (ask.kind) {
      case 'caption': {
        const task = findCaptionTask(this.#manifest, ask.task);
        return this.#textPrompt(task.prompt, task, wanted);
      }
      case 'answer': {
        const task = findTask(this.#manifest, 'answer');
        const { length } = this.#manifest.prompt;
        const question = readQuestion(ask.question, this.#tokenizer, length);
        return this.#textPrompt(question, task, wanted);
      }
      case 'locate':
        return this.#boxPrompt(ask.phrase);
      case 'entail':
        return this.#labelPrompt(ask.statement);
    }
  }

  /** @throws NarvlError `invalid-argument` for a text that is too long. */
  #encodePrompt(text: string): Pick<Prompt, 'ids' | 'used'> {
    const { length, pad } = this.#manifest.prompt;
    return this.#tokenizer.encodePrompt(text, length, pad);
  }

  /** @throws NarvlError `invalid-argument` for a text that the model cannot read. */
  #fillPrompt(prompt: string, text: unknown, what: string): Pick<Prompt, 'ids' | 'used'> {
    return this.#encodePrompt(fillPrompt(prompt, readText(text, what)));
  }

  /** A caption or an answer: collapsed, searched or chosen among candidates. */
  #textPrompt(text: string, task: CaptionTask | OnlyTask<'answer'>, wanted: Wanted): Prompt {
    const { queries, beam, calibration } = task;
    const { explain: explained = false, posteriors: shown = false, alternatives = 0 } = wanted;
    const { grid } = this.#manifest.features;
    if (explained && !grid) {
      throw new NarvlError('invalid-argument', 'explain: this model sees no grid of cells');
    }
    const way = this.#searches.choose(beam, wanted);
    const candidates = readCandidates(wanted.candidates, this.#tokenizer);
    const { blank, eos } = this.#manifest.decoder;
    const judgement: Judgement = {
      of: task.kind === 'answer' ? 'text' : 'words',
      curve: calibration?.curve,
      free: calibration?.free && {
        ...calibration.free,
        tokens: new Set(beam?.once?.free),
      },
    };
    return {
      ...this.#encodePrompt(text),
      queries,
      wanted: {
        posteriors: shown || way !== undefined,
        attention: explained,
        candidates: candidates?.tokens,
      },
      read: ({ decoding: collapsed, names, view }) => {
        const { attention, posteriors } = collapsed;
        const read = ({ tokens, slots }: Decoding): Reading => {
          const decoding = { tokens, slots, ...(shown ? { posteriors } : {}) };
          const reading = readDecoding(decoding, this.#tokenizer, { blank, eos }, judgement);
          if (!attention || !grid) return reading;
          return {
            ...reading,
            attention: explain(attention, reading.slots, grid, view.part?.edges),
          };
        };
        if (candidates) {
          const chosen = choose(candidates, collapsed, { blank, eos }, calibration?.candidates);
          const [{ text, probability: confidence }] = chosen.candidates;
          return { ...read(chosen.decoding), text, confidence, candidates: chosen.candidates };
        }
        if (!way || !posteriors) return read(collapsed);
        const found = search(posteriors, collapsed.tokens, withNames(way, names));
        const reading = read(found.decoding);
        if (alternatives === 0) return reading;
        const { text } = reading;
        const others = readAlternatives(found.others, this.#tokenizer, text, alternatives);
        return { ...reading, alternatives: others };
      },
    };
  }

  /**
   * A phrase's box: the likeliest of all, by what the slots say of the location tokens, or of a model with a phrase
   * map the one that both speak for most.
   */
  #boxPrompt(phrase: unknown): Prompt {
    const { prompt, queries, bins, calibration } = findTask(this.#manifest, 'locate');
    const { grid } = this.#manifest.features;
    return {
      ...this.#fillPrompt(prompt, phrase, 'a phrase'),
      places: bins.map !== undefined,
      queries,
      wanted: { tokens: locationTokens(bins) },
      read: ({ decoding, places, view: { size, part } }) => {
        const map = bins.map && grid && { ...bins.map, grid, places: places ?? new Float32Array() };
        const { spread } = bins;
        return readLocation(
          decoding,
          { spread, map, curve: calibration?.curve },
          size,
          part?.edges,
        );
      },
    };
  }

  /** A statement's label: the likeliest of three, whose texts are candidates. */
  #labelPrompt(statement: unknown): Prompt {
    const { prompt, queries, labels, calibration } = findTask(this.#manifest, 'entail');
    const { blank, eos } = this.#manifest.decoder;
    const candidates = labelCandidates(labels, this.#tokenizer);
    return {
      ...this.#fillPrompt(prompt, statement, 'a statement'),
      queries,
      wanted: { candidates: candidates.tokens },
      read: ({ decoding }) =>
        readEntailment(candidates, decoding, { blank, eos }, calibration?.candidates),
    };
  }

  /** From pixels to features, which are the caller's to dispose of. */
  async #see(reads: readonly Read[], signal: AbortSignal): Promise<Sight> {
    const encoder = this.#encoder;
    const clock = new Stopwatch();
    const images = reads.map((read) => read.pixels);
    const views = reads.map(({ size, part }) => ({ size, part }));
    const timed = (preprocess: number, vision: number) =>
      reads.map(({ milliseconds: image }) => {
        return { ...noTime, image, preprocess, vision, total: image + preprocess + vision };
      });
    // Our own kernels look when they are asked: it is one submit.
    if (encoder instanceof GpuNetwork) {
      const features = await encoder.see(images);
      return { features, views, timings: timed(clock.lap(), 0) };
    }
    const pixels = await this.#preprocess(images);
    const preprocess = clock.lap();
    this.#checkAlive(signal);
    const features = await encoder.look(pixels, reads.length);
    return { features, views, timings: timed(preprocess, clock.lap()) };
  }

  /** From features and a prompt to one reply an image. */
  async #write(sight: Sight, prompt: Prompt, signal: AbortSignal): Promise<Reply[]> {
    const { views, timings } = sight;
    this.#checkAlive(signal);
    const { decodings, cost, names, places, passed } = await this.#pass(sight, prompt, signal);
    this.#checkAlive(signal);
    const clock = new Stopwatch();
    const findings = decodings.map((decoding, i) =>
      prompt.read({
        decoding,
        names: names[i] ?? [],
        places: places?.[i],
        view: views[i] ?? noView,
      }),
    );
    const search = clock.lap();
    return findings.map((finding, i) => {
      const before = timings[i] ?? noTime;
      const { fusion = 0, decoder = 0, network = 0 } = passed;
      const total = before.total + fusion + decoder + network + search;
      const part = views[i]?.part;
      return {
        ...finding,
        ...(part ? { part } : {}),
        device: this.#device,
        timings: { ...before, fusion, decoder, network, search, total },
        cost,
      };
    });
  }

  /** From features and a prompt to what every slot of each image says, with milliseconds by stage. */
  async #pass(
    { features }: Sight,
    prompt: Prompt,
    signal: AbortSignal,
  ): Promise<NetworkResult & { readonly passed: Partial<Timings> }> {
    const { used, queries, wanted } = prompt;
    const request = { queries, ...wanted };
    const encoder = this.#encoder;
    const clock = new Stopwatch();
    if (encoder instanceof GpuNetwork && features instanceof GpuSight) {
      const result = await encoder.write(features, prompt, request);
      return { ...result, passed: { network: clock.lap() } };
    }
    if (encoder instanceof GpuNetwork || features instanceof GpuSight) {
      throw new NarvlError('worker-failed', 'The features are not where their network is');
    }
    const { memory, names, evidence, places: all } = await this.#fuse(encoder, features, prompt);
    const fusion = clock.lap();
    this.#checkAlive(signal);
    const {
      decoder,
      prompt: longest,
      features: { rows },
    } = this.#manifest;
    const memoryLengths = new Array<number>(features.batch).fill(
      decoder.memory - longest.length + used,
    );
    const wholeRequest = { memoryLengths, ...request };
    const { decodings, cost } = await this.#decode(memory, evidence, wholeRequest);
    const places = all && decodings.map((_, i) => all.subarray(i * rows, (i + 1) * rows));
    return { decodings, cost, names, places, passed: { fusion, decoder: clock.lap() } };
  }

  async #preprocess(images: readonly RgbaPixels[]): Promise<EncoderPixels> {
    if (this.#preprocessor) {
      await this.#preprocessor.reserve(images);
      return this.#preprocessor.run(images);
    }
    const { image } = this.#manifest;
    const one = 3 * image.size * image.size;
    const pixels = new Float32Array(images.length * one);
    for (const [i, { data, width, height }] of images.entries()) {
      pixels.set(preprocess(data, width, height, image), i * one);
    }
    return pixels;
  }

  /** Memory and evidence where the decoder reads them: undefined once they lie in the GPU decoder's buffers. */
  async #fuse(
    encoder: Encoder,
    features: Features,
    prompt: EncoderPrompt,
  ): Promise<Fused & { memory?: Float32Array | undefined }> {
    if (!(this.#decoder instanceof GpuDecoder)) return encoder.fuse(features, prompt);
    const { batch } = features;
    const write = (buffer: GPUBuffer, numbers: Float32Array) =>
      this.#gpu?.device.queue.writeBuffer(buffer, 0, numbers as Float32Array<ArrayBuffer>);
    const buffer = this.#decoder.memoryBuffer(batch);
    const onGpu = this.#device.encoder === 'webgpu';
    const fused: Fused & { memory?: Float32Array | undefined } = onGpu
      ? await encoder.fuse(features, prompt, buffer)
      : await encoder.fuse(features, prompt);
    if (fused.memory) write(buffer, fused.memory);
    const heard = this.#decoder.evidenceBuffer(batch);
    if (heard && fused.evidence) write(heard, fused.evidence);
    return { names: fused.names, evidence: undefined, places: fused.places };
  }

  async #decode(
    memory: Float32Array | undefined,
    evidence: Float32Array | undefined,
    request: DecodeRequest,
  ): Promise<{ decodings: Decoding[]; cost: DecoderCost }> {
    if (this.#decoder instanceof GpuDecoder) return this.#decoder.decode(request);
    if (!memory) throw new NarvlError('worker-failed', 'The memory did not reach the CPU');
    const decodings = await this.#decoder.decode(memory, request, evidence);
    return { decodings, cost: { dispatches: 0, submits: 0, bytesRead: 0 } };
  }

  /** @throws what became of the GPU, or of the wish for an answer. */
  #checkAlive(signal: AbortSignal): void {
    signal.throwIfAborted();
    const error = this.#lost ?? this.#gpu?.takeError();
    if (error) throw error;
  }
}

async function readImage(image: WireImage, limits: PixelLimits): Promise<Read> {
  const clock = new Stopwatch();
  try {
    const picture = await readPixels(image, limits);
    return { ...picture, milliseconds: clock.lap() };
  } catch (cause) {
    if (cause instanceof NarvlError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new NarvlError('image-unreadable', `The picture cannot be read: ${reason}`, { cause });
  }
}

const readOutcome = (image: WireImage, limits: PixelLimits): Promise<Outcome<Read>> =>
  outcomeOf(() => readImage(image, limits));

/** What has taken no time yet. */
const noTime: Timings = {
  image: 0,
  preprocess: 0,
  vision: 0,
  fusion: 0,
  decoder: 0,
  network: 0,
  search: 0,
  total: 0,
};

/** Where there is no GPU. */
const noBuffers = { buffers: 0, bytes: 0 };

/** Of an image that there is not. */
const noView: View = { size: { width: 0, height: 0 } };

/** Milliseconds since the last lap. */
class Stopwatch {
  #last = performance.now();

  lap(): number {
    const now = performance.now();
    const elapsed = now - this.#last;
    this.#last = now;
    return elapsed;
  }
}
