/** The decoder in WGSL: one command encoder, one submit and one read-back a pass. */
import { NarvlError } from '../errors.ts';
import { ArrivingWeights } from '../model/arriving-weights.ts';
import { checkDecoding, checkRequest, checkShape } from '../model/checks.ts';
import { columnsOf } from '../model/columns.ts';
import {
  type DecodeRequest,
  type DecoderCost,
  type DecoderShape,
  type DecoderWeights,
  type Decoding,
  posteriorCount,
  type QueryRange,
} from '../model/decoder.ts';
import { allocate, Buffers } from './buffers.ts';
import { readPacked, readRecord, recordLength } from './collapse.ts';
import { CostCounter } from './counters.ts';
import { deviceLost } from './device.ts';
import type { NormWeights } from './fold.ts';
import { compileKernels } from './kernels.ts';
import { buildPlan, type Plan, type PlanContext } from './plan.ts';
import { type Numbers, Results, type Source } from './results.ts';
import { readScored, readTable, type Scoring, type Tabling } from './score.ts';
import { settled } from './settled.ts';
import type { Step } from './step.ts';
import { type Tiling, tilingFor } from './tiling.ts';
import { uploadWeights } from './weights.ts';

/** What a pass gives: a decoding an image, and what the batch cost. */
export interface DecoderResult {
  readonly decodings: Decoding[];
  readonly cost: DecoderCost;
  /** Of each of `Ahead`'s sources, in their order, every image's numbers. */
  readonly ahead: readonly (readonly Numbers[])[];
}

/** Work that goes into a pass's command encoder before the decoder's own. */
export interface Ahead {
  encode(encoder: GPUCommandEncoder, counter: CostCounter): void;
  /** What of it comes back with the pass's results. */
  readonly sources: readonly Source[];
}

/** A decoder on a GPU device, which stays the caller's. */
export class GpuDecoder {
  readonly #context: PlanContext;
  readonly #weightBuffers: Buffers;
  readonly #memoryBuffers: Buffers;
  readonly #memories = new Map<number, GPUBuffer>();
  readonly #evidences = new Map<number, GPUBuffer>();
  readonly #plans = new Map<string, Plan>();
  readonly #building = new Map<string, Promise<Plan>>();
  #lost: NarvlError | undefined;
  #disposed = false;

  private constructor(
    context: PlanContext,
    readonly bits: Pick<Tiling, 'weightBits' | 'productBits'>,
    /** Whether `memoryBuffer` takes rows that still lack the norm at their end. */
    readonly normsMemory: boolean,
    weightBuffers: Buffers,
  ) {
    this.#context = context;
    this.#weightBuffers = weightBuffers;
    this.#memoryBuffers = new Buffers(context.device);
    context.device.lost.then((info) => {
      this.#lost = deviceLost(info);
    });
  }

  /**
   * Compiles the kernels and uploads the weights, those that are still on their way as they come.
   *
   * @param tiling how kernels are cut into workgroups; by default, what suits the device
   * @param memoryNorm the layer norm that the memory still lacks, [width] each, which then costs no
   * dispatch of its own; without it memory comes normed, as fusion.onnx writes it
   * @throws NarvlError 'invalid-model' if the weights do not fit the shape or the device.
   * @throws NarvlError 'out-of-memory' if they do not fit the GPU's memory, and what keeps weights
   * from arriving.
   */
  static async create(
    device: GPUDevice,
    shape: DecoderShape,
    weights: DecoderWeights | ArrivingWeights,
    tiling: Tiling = tilingFor(device),
    memoryNorm: NormWeights | undefined | Promise<NormWeights | undefined> = undefined,
  ): Promise<GpuDecoder> {
    checkShape(shape);
    const buffers = new Buffers(device);
    const norm = Promise.resolve(memoryNorm);
    try {
      const [, uploaded, kernels, normed] = await settled([
        weights instanceof ArrivingWeights ? weights.all : Promise.resolve(weights),
        uploadWeights(buffers, shape, weights, tiling.weightBits, norm),
        compileKernels(device, shape, tiling, norm),
        norm,
      ]);
      return new GpuDecoder(
        { device, shape, kernels, weights: uploaded },
        { weightBits: tiling.weightBits, productBits: tiling.productBits },
        normed !== undefined,
        buffers,
      );
    } catch (error) {
      buffers.destroy();
      throw error;
    }
  }

  get shape(): DecoderShape {
    return this.#context.shape;
  }
  /**
   * The buffer that `decode` reads the memory of a batch from: f32 [batch, T, width], normed unless
   * `normsMemory`, usable as storage and both ends of a copy. The same buffer every time, and the decoder's to destroy.
   *
   * @throws NarvlError 'invalid-argument' if the device binds no buffer of that size.
   */
  memoryBuffer(batch: number): GPUBuffer {
    this.#checkAlive();
    let memory = this.#memories.get(batch);
    if (!memory) {
      const { memory: rows, width } = this.shape;
      memory = this.#memoryBuffers.storage(`memory of ${batch}`, batch * rows * width);
      this.#memories.set(batch, memory);
    }
    return memory;
  }

  /**
   * The buffer that `decode` reads the evidence of a batch from: f32 [batch, V], of zeros, for none, until
   * something is written to it, and then that. The same buffer every time, and the decoder's to destroy; none
   * of a shape without evidence.
   *
   * @throws NarvlError 'invalid-argument' if the device binds no buffer of that size.
   */
  evidenceBuffer(batch: number): GPUBuffer | undefined {
    this.#checkAlive();
    if (!this.shape.evidence) return undefined;
    let evidence = this.#evidences.get(batch);
    if (!evidence) {
      const numbers = batch * this.shape.vocabulary;
      evidence = this.#memoryBuffers.storage(`evidence of ${batch}`, numbers);
      this.#evidences.set(batch, evidence);
    }
    return evidence;
  }

  /**
   * One pass over a batch. Its memory must be in `memoryBuffer(batch)`, and its evidence in
   * `evidenceBuffer(batch)`, or be on their way there on the device's queue. The first pass of a batch
   * size and query range prepares it, and both must stay until it is over; later ones are on the queue
   * when the call returns its promise, but for those with candidates or tokens, which make buffers of
   * their own.
   *
   * @param ahead what is encoded in front, if the memory is not there yet
   * @throws NarvlError 'invalid-argument' if the request does not fit the shape or the device.
   * @throws NarvlError 'invalid-model' if the weights or the memory are not all finite.
   * @throws NarvlError 'out-of-memory', 'device-lost' or 'disposed'.
   */
  async decode(request: DecodeRequest, ahead?: Ahead): Promise<DecoderResult> {
    this.#checkAlive();
    checkRequest(this.shape, request);
    const batch = request.memoryLengths.length;
    const { count: slots } = request.queries;
    // No await where there is a plan: what the caller queues next must come after this pass.
    const plan =
      this.#plans.get(keyOf(batch, request.queries)) ?? (await this.#build(batch, request.queries));
    this.#checkAlive();
    const { candidates, tokens } = request;
    if (!candidates && !tokens) return this.#run(plan, request, undefined, ahead);
    const { device, kernels, weights, shape } = this.#context;
    const inputs = { ...plan, ...weights.head };
    const scoring = await allocate<Tabling | Scoring>(device, (buffers) => {
      if (candidates) return kernels.score.steps(buffers, inputs, candidates, batch, slots);
      const columns = columnsOf([tokens ?? []], shape);
      return kernels.score.table(buffers, inputs, columns.tokens, batch, slots);
    });
    this.#checkAlive();
    try {
      return await this.#run(plan, request, scoring, ahead);
    } finally {
      scoring.buffers.destroy();
    }
  }

  /** The dispatches of a pass over such a batch, for who times or models them. */
  async steps(batch: number, queries: QueryRange): Promise<readonly Step[]> {
    this.#checkAlive();
    const plan = this.#plans.get(keyOf(batch, queries)) ?? (await this.#build(batch, queries));
    return plan.steps;
  }

  /** Destroys every buffer; passes under way reject with 'disposed'. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#weightBuffers.destroy();
    this.#memoryBuffers.destroy();
    for (const { buffers } of this.#plans.values()) buffers.destroy();
  }

  /** Builds a plan, once however many passes wait for it. */
  #build(batch: number, queries: QueryRange): Promise<Plan> {
    const key = keyOf(batch, queries);
    let building = this.#building.get(key);
    if (!building) {
      const inputs = { memory: this.memoryBuffer(batch), evidence: this.evidenceBuffer(batch) };
      building = allocate(this.#context.device, (buffers) =>
        buildPlan(this.#context, buffers, inputs, batch, queries),
      )
        .then((plan) => {
          if (this.#disposed) plan.buffers.destroy();
          else this.#plans.set(key, plan);
          return plan;
        })
        // What failed for want of memory may fit later.
        .finally(() => this.#building.delete(key));
      this.#building.set(key, building);
    }
    return building;
  }

  /** Encodes and submits a pass at once, then waits for what it says. */
  async #run(
    plan: Plan,
    { memoryLengths, queries: { count: slots }, ...wanted }: DecodeRequest,
    scoring: Tabling | Scoring | undefined,
    ahead: Ahead | undefined,
  ): Promise<DecoderResult> {
    const { device } = this.#context;
    const batch = memoryLengths.length;
    const k = posteriorCount(this.shape);
    const records = { buffer: plan.records, numbers: recordLength(slots) };
    const packed = { buffer: plan.packed, numbers: slots * k };
    const attention = { buffer: plan.attention, numbers: slots * this.shape.memory };
    const scores = scoring && 'scores' in scoring ? scoring.scores : undefined;
    const sources = ahead?.sources ?? [];
    const results = new Results(
      [
        wanted.posteriors ? packed : records,
        ...(wanted.attention ? [attention] : []),
        ...(scores ? [scores] : []),
        ...(scoring ? [scoring.logProbs] : []),
        ...sources,
      ],
      batch,
    );
    const most = [records, packed, attention, ...sources];
    const readback = scoring
      ? scoring.buffers.readback('results', results.bytes)
      : (takeReadback(plan, results.bytes) ??
        plan.buffers.readback('results', new Results(most, batch).bytes));

    const counter = new CostCounter();
    const encoder = device.createCommandEncoder({ label: 'decode' });
    ahead?.encode(encoder, counter);
    device.queue.writeBuffer(plan.lengths, 0, Uint32Array.from(memoryLengths));
    counter.dispatch(encoder, [
      ...plan.steps,
      ...(wanted.attention ? [plan.explain] : []),
      ...(scoring?.steps ?? []),
    ]);
    results.copy(encoder, readback);
    counter.submit(device.queue, encoder);
    const bytes = await this.#read(counter, readback, results.bytes);
    if (!scoring) plan.readbacks.push(readback);

    const decodings = memoryLengths.map((_, image): Decoding => {
      const read = (source: Source) => results.read(bytes, source, image);
      const decoding = wanted.posteriors
        ? readPacked(read(packed), { ...this.shape, k })
        : readRecord(read(records), slots);
      checkDecoding(this.shape, decoding);
      return {
        ...decoding,
        ...(wanted.attention ? { attention: read(attention).floats } : {}),
        ...(scoring && scores
          ? { scored: readScored(read(scores), read(scoring.logProbs), scoring.tokens) }
          : {}),
        ...(scoring && !scores ? { table: readTable(read(scoring.logProbs), scoring.tokens) } : {}),
      };
    });
    const read = sources.map((source) => decodings.map((_, i) => results.read(bytes, source, i)));
    return { decodings, cost: counter.cost, ahead: read };
  }

  async #read(counter: CostCounter, buffer: GPUBuffer, size: number): Promise<ArrayBuffer> {
    try {
      return await counter.read(buffer, size);
    } catch (error) {
      this.#checkAlive();
      // Mapping aborts on a destroyed buffer or device, and the buffer is not.
      if (!(error instanceof Error) || error.name !== 'AbortError') throw error;
      throw deviceLost(await this.#context.device.lost);
    }
  }

  #checkAlive(): void {
    if (this.#disposed) throw new NarvlError('disposed', 'the decoder was disposed');
    if (this.#lost) throw this.#lost;
  }
}

/** A read-back buffer of the plan that no pass is using and that holds so many bytes. */
function takeReadback({ readbacks }: Plan, bytes: number): GPUBuffer | undefined {
  const at = readbacks.findIndex(({ size }) => size >= bytes);
  return at < 0 ? undefined : readbacks.splice(at, 1)[0];
}

/** What plans differ by. */
function keyOf(batch: number, { first, count }: QueryRange): string {
  return `${batch} images, ${count} queries from ${first}`;
}
