/**
 * The race that the demo shows: one photo, looked at once, and two decoders that write its caption from
 * the same memory, in turns: the one pass, and the bench's opponent word after word.
 *
 * The opponent runs on the one pass's weights, which were not trained to continue a text, so what it
 * chooses says nothing, and it hears no evidence for words. It makes as many steps as the caption has word
 * pieces, and one for the end; the work and the time of a step do not depend on the word.
 */
import { readDecoding } from '../src/decode/caption.ts';
import { search, withNames } from '../src/decode/search.ts';
import { Encoder } from '../src/encoder/encoder.ts';
import { GpuDecoder } from '../src/gpu/decoder.ts';
import { type Gpu, requestGpu } from '../src/gpu/device.ts';
import { loadModelFiles } from '../src/model/files.ts';
import { findCaptionTask, type Manifest, wordCount } from '../src/model/manifest.ts';
import type { Name } from '../src/model/name.ts';
import { Tokenizer } from '../src/model/tokenizer.ts';
import { preprocess } from '../src/reference/preprocess.ts';
import { readPixels } from '../src/worker/pixels.ts';
import { AutoregressiveDecoder } from './autoregressive/decoder.ts';
import { type Shipped, shippedSize } from './shipped.ts';

/** Runs that are not counted: the first compile and allocate. */
const WARM_UPS = 2;
/** Runs of each, in turns; the middle one by its time is shown. */
const ROUNDS = 5;

/** What a race came to, in milliseconds from the memory on the GPU to words on the CPU. */
export interface RaceResult {
  /** The caption's word pieces as they stand in it, with their spaces. */
  readonly pieces: readonly string[];
  /** The one pass, its search for the best text included. */
  readonly onePass: number;
  /** When the opponent had each piece and, last, the end. */
  readonly steps: readonly number[];
  /** The opponent left alone: all steps at once on the GPU, read when all are done. */
  readonly unwatched: number;
  /** The GPU's name as far as the browser tells it. */
  readonly adapter: string;
  /** Whether that is the CPU, where one pass has no idle lanes to fill. */
  readonly software: boolean;
}

/** The model and the device, ready to race. */
export class Race {
  private constructor(
    private readonly gpu: Gpu,
    private readonly shipped: Shipped,
    private readonly encoder: Encoder,
    private readonly tokenizer: Tokenizer,
    private readonly onePass: GpuDecoder,
    private readonly opponent: AutoregressiveDecoder,
  ) {}

  /** @throws NarvlError as `Narvl.load` does; `webgpu-unavailable` where there is no GPU to race on. */
  static async open(
    model: string,
    onBytes: (loaded: number, total: number) => void,
  ): Promise<Race> {
    const gpu = await requestGpu(navigator.gpu);
    const shipped = shippedSize(await loadModelFiles(model, onBytes));
    const { manifest, files } = shipped.model;
    const { shape, weights, captions } = shipped;
    // It is the same for both and not timed, and leaves the GPU to those that are.
    const encoder = await Encoder.create(
      manifest,
      files['vision.onnx'],
      files['fusion.onnx'],
      'wasm',
    );
    const onePass = await GpuDecoder.create(gpu.device, shape, weights);
    const words = Math.min(captions.count + 1, shape.queries);
    const writing = { batch: 1, beams: 1, words };
    const opponent = await AutoregressiveDecoder.create(gpu.device, shape, weights, writing);
    const tokenizer = new Tokenizer(files['tokenizer.json'], wordCount(manifest));
    return new Race(gpu, shipped, encoder, tokenizer, onePass, opponent);
  }

  /** @throws NarvlError for a picture that cannot be read, or a GPU that went away. */
  async run(photo: Blob): Promise<RaceResult> {
    const { names, lengths } = await this.#look(photo);
    const lost = this.gpu.lost.then((error) => Promise.reject(error));
    return Promise.race([this.#race(names, lengths), lost]);
  }

  async #race(names: readonly Name[], lengths: readonly number[]): Promise<RaceResult> {
    const { pieces } = await this.#pass(names, lengths);
    const steps = Math.min(pieces.length + 1, this.shipped.shape.queries);
    const rounds: { one: number; steps: number[]; unwatched: number }[] = [];
    for (let round = 0; round < WARM_UPS + ROUNDS; round++) {
      const { milliseconds: one } = await this.#pass(names, lengths);
      const start = performance.now();
      const times: number[] = [];
      await this.opponent.decode(lengths, steps, 'word', () =>
        times.push(performance.now() - start),
      );
      const again = performance.now();
      await this.opponent.decode(lengths, steps, 'end');
      rounds.push({ one, steps: times, unwatched: performance.now() - again });
    }
    const counted = rounds.slice(WARM_UPS);
    const { vendor, architecture, description, software } = this.gpu.adapter;
    return {
      pieces,
      onePass: middle(counted, ({ one }) => one).one,
      steps: middle(counted, ({ steps }) => steps.at(-1) ?? 0).steps,
      unwatched: middle(counted, ({ unwatched }) => unwatched).unwatched,
      adapter: description || [vendor, architecture].filter(Boolean).join(' '),
      software,
    };
  }

  /** The photo's memory goes to both decoders. */
  async #look(photo: Blob): Promise<{ names: readonly Name[]; lengths: readonly number[] }> {
    const { manifest } = this.shipped.model;
    const { pixels: read } = await readPixels({ kind: 'blob', blob: photo });
    const pixels = preprocess(read.data, read.width, read.height, manifest.image);
    const features = await this.encoder.look(pixels, 1);
    const { ids, used } = this.#prompt(manifest);
    try {
      const { memory, names, evidence } = await this.encoder.fuse(features, { ids });
      const { queue } = this.gpu.device;
      for (const buffer of [this.onePass.memoryBuffer(1), this.opponent.memory]) {
        queue.writeBuffer(buffer, 0, memory as Float32Array<ArrayBuffer>);
      }
      const heard = this.onePass.evidenceBuffer(1);
      if (heard && evidence) queue.writeBuffer(heard, 0, evidence as Float32Array<ArrayBuffer>);
      await queue.onSubmittedWorkDone();
      const length = manifest.decoder.memory - manifest.prompt.length + used;
      return { names: names[0] ?? [], lengths: [length] };
    } finally {
      features.dispose();
    }
  }

  #prompt(manifest: Manifest): { ids: Int32Array; used: number } {
    const { prompt } = findCaptionTask(manifest, undefined);
    return this.tokenizer.encodePrompt(prompt, manifest.prompt.length, manifest.prompt.pad);
  }

  /** One pass, to the best whole text of its posteriors. */
  async #pass(
    names: readonly Name[],
    memoryLengths: readonly number[],
  ): Promise<{ pieces: string[]; milliseconds: number }> {
    const { captions: queries, search: how, shape } = this.shipped;
    const start = performance.now();
    const posteriors = how !== undefined;
    const { decodings } = await this.onePass.decode({ memoryLengths, queries, posteriors });
    const [collapsed] = decodings;
    if (!collapsed) throw new Error('The decoder left out the photo');
    const { decoding } =
      how && collapsed.posteriors
        ? search(collapsed.posteriors, collapsed.tokens, withNames(how, names))
        : { decoding: collapsed };
    const milliseconds = performance.now() - start;
    const { tokens } = readDecoding(decoding, this.tokenizer, shape, {
      of: 'words',
      curve: undefined,
    });
    return { pieces: tokens.map(({ text }) => text), milliseconds };
  }
}

/** The element that is in the middle by a number. */
function middle<T>(all: readonly T[], by: (one: T) => number): T {
  const sorted = all.toSorted((a, b) => by(a) - by(b));
  const found = sorted[Math.floor(sorted.length / 2)];
  if (found === undefined) throw new Error('Expected something to choose from');
  return found;
}
