/**
 * Everything that crosses the border between page and worker.
 *
 * Comlink carries only an error's message and stack, and no AbortSignal. So each call answers with
 * an `Outcome`, and a call that may be cancelled carries a job number that `abort` names.
 */
import type { ProxyMarked } from 'comlink';
import type { WasmUrls } from './encoder/wasm-urls.ts';
import type { NarvlErrorCode } from './errors.ts';
import type { DecoderCost, WeightBits } from './model/decoder.ts';
import type { Edges } from './model/image.ts';
import type { LoadStage } from './model/load-stages.ts';
import type { Region } from './model/part.ts';

/** Where the encoder's graphs run. */
export type EncoderDevice = 'webgpu' | 'wasm';

/**
 * Where the decoder runs: our WGSL kernels, onnxruntime's WebAssembly where there is no WebGPU, or
 * the reference in TypeScript.
 */
export type DecoderDevice = 'webgpu' | 'wasm' | 'reference';

/** A choice for each half; what is left out is chosen as `auto` would. */
export interface DeviceChoice {
  readonly encoder?: EncoderDevice | undefined;
  readonly decoder?: DecoderDevice | undefined;
  /** Bits of the decoder's weights on the GPU; fewer are faster to read and less exact. */
  readonly weightBits?: WeightBits | undefined;
  /**
   * Whether the decoder's kernels are tried out on this adapter in some ways, once, and the fastest
   * is remembered. By default they are on a GPU, and not on a software adapter. Likewise one and several
   * threads, where WebAssembly runs vision and the page may have threads; by default they are.
   */
  readonly tune?: boolean | undefined;
}

/** What a result was computed on. */
export interface Device {
  readonly encoder: EncoderDevice;
  readonly decoder: DecoderDevice;
  /** Of the decoder's weights. */
  readonly weightBits: WeightBits;
  /** Of its products; 16 only where the adapter has `shader-f16` and was faster so. */
  readonly productBits: 32 | 16;
  /** The GPU's name as far as the browser tells it; empty without WebGPU. */
  readonly adapter: string;
  /**
   * Why this is not what was asked for, if it is not: workers were lost too often on the GPU, or the model does not
   * fit it.
   */
  readonly fallback?: string | undefined;
}

/** One word piece of a text. */
export interface TextToken {
  readonly id: number;
  /** As it stands in the text, with its leading space. */
  readonly text: string;
  /** Of the token in the slot that brought it, 0…1. */
  readonly probability: number;
}

/** A word of a text, of one piece or several. */
export interface TextWord {
  readonly text: string;
  /** As of `Caption`, of this word alone. */
  readonly confidence: number;
  /** Indices of its tokens. */
  readonly pieces: readonly number[];
}

/**
 * What became of a query slot's token: a `word` of the text; a `blank`; a `repeat`, merged with
 * the slot before it; the `end` of the sentence; or `after` it, where nothing is read.
 */
export type SlotRole = 'word' | 'blank' | 'repeat' | 'end' | 'after';

/** One of the N query slots, with the token it chose. */
export interface AlignmentSlot {
  readonly id: number;
  readonly text: string;
  readonly probability: number;
  readonly role: SlotRole;
}

/**
 * Milliseconds by stage, 0 for what was not done: a look has no fusion, decoder and search, and what
 * is asked of a look no image, preprocess and vision. Stages of a batch are shared by its images.
 *
 * Where our own kernels run all of the network, it is one submit, of which nobody can tell from outside how
 * long each part took: `network` is vision, fusion and decoder together, which then are 0, and `preprocess`
 * what it took to queue the pixels. A look has a submit of its own, which is its `vision`.
 */
export interface Timings {
  /** Decoding the file into pixels; the page fetches it before. */
  readonly image: number;
  /** Resampling and normalising. */
  readonly preprocess: number;
  readonly vision: number;
  readonly fusion: number;
  /** From memory to every slot's tokens, read-back included. */
  readonly decoder: number;
  /** Vision unless it was looked before, fusion and decoder in one submit, read-back included. */
  readonly network: number;
  /** From the slots' tokens to a text. */
  readonly search: number;
  /** From the start of the job in the worker; waiting for earlier jobs is not counted. */
  readonly total: number;
}

/**
 * The k likeliest tokens of every slot, for who wants to look at the distribution. What the GPU
 * decoded is rounded to steps of 1.2e-4 for 5,000 tokens, and is nowhere below −32.
 */
export interface SlotPosteriors {
  readonly k: number;
  /** [slots][k] token ids, likeliest first. */
  readonly tokens: readonly (readonly number[])[];
  /** [slots][k] natural log probabilities. */
  readonly logProbs: readonly (readonly number[])[];
}

/** How the slots' tokens become a text. */
export type SearchKind = 'beam' | 'greedy';

/** Another text that the same pass may mean. */
export interface Alternative {
  readonly text: string;
  /** Of the text, every alignment of it that the search kept together; 0…1. */
  readonly probability: number;
}

/** Which part of the photo each word piece looked at: cross-attention over a grid of cells. */
export interface Attention {
  readonly rows: number;
  readonly columns: number;
  /** What the grid covers: the whole photo, [0, 0, 1, 1], or the result's `part` of it. */
  readonly edges: Edges;
  /** Of each of the text's tokens, the share of each cell, row by row; together 1. */
  readonly tokens: readonly (readonly number[])[];
}

/** One of the texts that the caller brought, and how likely it is. */
export interface Candidate {
  /** As it was given. */
  readonly text: string;
  /** That it is this one, if it is one of the candidates; 0…1, together 1. */
  readonly probability: number;
  /** Natural log of the text's own probability, over every path; -Infinity if none spells it. */
  readonly logProb: number;
}

/** A photo's caption and how it came about. */
export interface Caption {
  readonly text: string;
  /**
   * How sure the model may be, 0…1, by what the model's manifest was calibrated on: of an answer, how
   * often such a one is right; of a caption, how many of its content words people use of the photo too. Of
   * candidates, the best one's probability. A model without calibration has the geometric mean of
   * the slots' probabilities. 0 of an empty text.
   */
  readonly confidence: number;
  readonly words: readonly TextWord[];
  readonly tokens: readonly TextToken[];
  /** The N query slots in order: the likeliest alignment that collapses into `tokens`. */
  readonly slots: readonly AlignmentSlot[];
  readonly device: Device;
  readonly timings: Timings;
  /**
   * What of the image was looked at, if it was not the whole: of one more than three times as long as wide the
   * middle, twice as long as wide. Squashed to the network's square nothing of it could be recognised.
   */
  readonly part?: Region | undefined;
  /** What else it may be, best first, as many as were asked for. */
  readonly alternatives?: readonly Alternative[] | undefined;
  /** All that the text was chosen from, best first, if there were any. */
  readonly candidates?: readonly Candidate[] | undefined;
  /** Where each of `tokens` looked, if that was asked for. */
  readonly attention?: Attention | undefined;
  /**
   * Counted in the pass's submit, for the whole batch that this image was part of: the decoder's, and
   * what goes in front of it where our own kernels run all of the network.
   */
  readonly cost: DecoderCost;
  /** Only if asked for. */
  readonly posteriors?: SlotPosteriors | undefined;
}

/** A question's answer: of a caption's form, from the slots that the model answers with. */
export type Answer = Caption;

/** Where in a photo a phrase's thing is. */
export interface Located extends Region {
  /** As of `Caption`; the box lies in the whole image nevertheless. */
  readonly part?: Region | undefined;
  /**
   * How often such a box is right, 0…1, where the model's manifest was calibrated; else the geometric
   * mean of its four tokens' probabilities, or of a model with a phrase map what the box was chosen by: how much it
   * is expected to overlap the truth, times a small power of its probability.
   */
  readonly confidence: number;
  /** Natural log of the box's own probability, over every path; without a phrase map no other box has a greater one. */
  readonly logProb: number;
  readonly device: Device;
  readonly timings: Timings;
  /** As of `Caption`. */
  readonly cost: DecoderCost;
}

/** What a photo says of a statement: that it is true, that it may be, that it is not. */
export type EntailmentLabel = 'entailment' | 'neutral' | 'contradiction';

/** Whether a statement follows from a photo. */
export interface Entailed {
  /** As of `Caption`. */
  readonly part?: Region | undefined;
  /** The likeliest. */
  readonly label: EntailmentLabel;
  /** 0…1, together 1. */
  readonly probabilities: Readonly<Record<EntailmentLabel, number>>;
  readonly device: Device;
  readonly timings: Timings;
  /** As of `Caption`. */
  readonly cost: DecoderCost;
}

/** How far `load` has come. */
export interface Progress {
  /** `ready` comes last, from the page, when the model's `info` can be read. */
  readonly stage: 'download' | 'prepare' | 'ready';
  /** Bytes here so far, from the network or the cache. */
  readonly loaded: number;
  /** Bytes in all, from the manifest; 0 before it has arrived. */
  readonly total: number;
}

/** An error as plain data. */
export interface ErrorData {
  readonly code: NarvlErrorCode;
  readonly message: string;
}

/** What a call came to. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: ErrorData };

/** What the page sends of an image: pixels, or a file's bytes. */
export type WireImage =
  | { readonly kind: 'blob'; readonly blob: Blob }
  | { readonly kind: 'bitmap'; readonly bitmap: ImageBitmap }
  | { readonly kind: 'pixels'; readonly pixels: ImageData };

/** What images are handed over with instead of copied, and hold until it is closed. */
export function bitmapsOf(images: readonly WireImage[]): ImageBitmap[] {
  return images.flatMap((image) => (image.kind === 'bitmap' ? [image.bitmap] : []));
}

/** What of an image file is read. */
export interface PixelLimits {
  /**
   * Pixels that a file's header may promise. By default 250 million of a JPEG, HEIC or AVIF, which phones
   * photograph as, and 120 million of other formats.
   */
  readonly mostPixels?: number | undefined;
}

/** Where the model and the runtime are, and what they are to run on. */
export interface OpenRequest {
  /** Absolute URL of the model's folder, ending in a slash. */
  readonly url: string;
  readonly device: DeviceChoice;
  readonly limits?: PixelLimits | undefined;
  /** Bytes of memory that the model may need. */
  readonly mostMemory?: number | undefined;
  /** Why no GPU is to be used, whatever `device` says: it is said in the results. */
  readonly fallback?: string | undefined;
  readonly wasm: WasmUrls;
}

/**
 * Milliseconds in which loading was busy with each thing, for the worker that runs now. Kernels are compiled
 * and weights uploaded while files still come, so that the stages come to more than `total`. By what the first
 * caption takes longer than later ones, its `timings` tell.
 */
export interface LoadTimes extends Readonly<Record<LoadStage, number>> {
  /** From the worker's start until its script runs. */
  readonly script: number;
  /** Getting the model's files, from the network or from the cache, and checking them. */
  readonly download: number;
  /** Reading weights out of the graphs, where our own kernels run all of the network; else 0. */
  readonly read: number;
  /** Compiling kernels; of onnxruntime, fetching it and making its sessions. */
  readonly compile: number;
  /** Folding norms into weights, packing them and handing them to the GPU. */
  readonly upload: number;
  /** Trying which cut of the kernels, or how many threads, are fastest here: on a device's first visit. */
  readonly tune: number;
  /** From the worker's start until the model is ready. */
  readonly total: number;
}

/** What the page learns of a model that is ready. */
export interface ModelInfo {
  readonly name: string;
  readonly device: Device;
  /** What `caption` takes as its task, the default first. */
  readonly tasks: readonly string[];
  /** Whether `answer` answers questions. */
  readonly answers: boolean;
  /** Whether `locate` points at things. */
  readonly locates: boolean;
  /** Whether `entails` judges statements. */
  readonly entails: boolean;
  /** How long it took to load, by stage. */
  readonly load: LoadTimes;
}

/** What a model holds at a moment, beside its code. */
export interface MemoryUse {
  /** Buffers on the GPU, 0 without one; onnxruntime's own are not counted. */
  readonly gpuBuffers: number;
  readonly gpuBytes: number;
  /** Looks that are not disposed of. */
  readonly looks: number;
}

/** Images that go through the network together; more are more jobs. */
export const LARGEST_BATCH = 16;

/** Candidates of all images of a job, so that none takes longer than a worker may be silent. */
export const MOST_SCORED = 1 << 17;

/** Looks that are kept at a time: enough for any page, and a bound on what a leak can take. */
export const MOST_LOOKS = 64;

/**
 * Which of the calls that wait goes first: `high` for what somebody looks at and waits for, `low` for what
 * can wait until nothing else does. Calls of one priority are done in their order, and none is interrupted.
 */
export type Priority = 'high' | 'normal' | 'low';

export const PRIORITIES: readonly Priority[] = ['high', 'normal', 'low'];

export const DEFAULT_PRIORITY: Priority = 'normal';

/**
 * What is asked: a caption in a task's style, the first if left out; a question's answer; where a
 * phrase's thing is; whether a statement is true.
 */
export type Ask =
  | { readonly kind: 'caption'; readonly task?: string | undefined }
  | { readonly kind: 'answer'; readonly question: string }
  | { readonly kind: 'locate'; readonly phrase: string }
  | { readonly kind: 'entail'; readonly statement: string };

/** What each kind of ask is answered with. */
export interface Replies {
  readonly caption: Caption;
  readonly answer: Answer;
  readonly locate: Located;
  readonly entail: Entailed;
}

/** What any ask is answered with. */
export type Reply = Replies[Ask['kind']];

/** How a text is found, and how much is to come back with it. */
export interface Wanted {
  /**
   * `greedy`: every slot's likeliest token, collapsed. `beam`: the text whose alignments are
   * likeliest together, by the model's n-grams too if it has some. The default is what suits the
   * model: `beam` where it has n-grams for the task.
   */
  readonly search?: SearchKind | undefined;
  /** So many other texts at most, 15 or fewer; they are found by `beam`. */
  readonly alternatives?: number | undefined;
  /**
   * Texts to choose from, at most 65,535: the likeliest one is the caption or answer, by its exact
   * probability over every path. Without `search` and `alternatives`.
   */
  readonly candidates?: readonly string[] | undefined;
  /** Also say which part of the photo each word looked at. */
  readonly explain?: boolean | undefined;
  /** Also give the likeliest tokens of every slot. */
  readonly posteriors?: boolean | undefined;
}

/** A job's place in the queue. */
export interface Queued {
  readonly priority?: Priority | undefined;
}

/** What is asked, and how; a box and a label are always found exactly. */
export interface AskRequest extends Wanted, Queued {
  readonly ask: Ask;
}

/** One job for the worker: something to ask of images. */
export interface ImagesRequest extends AskRequest {
  /** At most LARGEST_BATCH. */
  readonly images: readonly WireImage[];
}

/** One job for the worker: an image to look at and to keep. */
export interface LookRequest extends Queued {
  readonly image: WireImage;
  /** What the look is to be called; the page sees to it that no two are called the same. */
  readonly look: number;
}

/** One job for the worker: something to ask of a look that it keeps. */
export interface LookAskRequest extends AskRequest {
  readonly look: number;
}

/**
 * The worker, as the page calls it through Comlink.
 * @internal
 */
export interface WorkerApi {
  open(
    request: OpenRequest,
    onProgress: ((progress: Progress) => void) & ProxyMarked,
  ): Promise<Outcome<ModelInfo>>;
  /** One outcome an image, in order: one that cannot be read does not spoil the others. */
  askImages(job: number, request: ImagesRequest): Promise<Outcome<readonly Outcome<Reply>[]>>;
  /** What looking took. */
  look(job: number, request: LookRequest): Promise<Outcome<Timings>>;
  askLook(job: number, request: LookAskRequest): Promise<Outcome<Reply>>;
  /** What the model holds at this moment, without a turn of its own. */
  memory(): Promise<Outcome<MemoryUse>>;
  /** Let go of a look, before whatever waits; nothing if there is none of that name. */
  forget(look: number): void;
  /** Stop a job: at once if it waits, else after the stage that it is in. */
  abort(job: number): void;
}
