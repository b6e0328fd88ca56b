/** The decoder laid out for one batch size and query range: every buffer, bind group and dispatch. */
import { type DecoderShape, posteriorCount, type QueryRange } from '../model/decoder.ts';
import type { Buffers } from './buffers.ts';
import { recordLength } from './collapse.ts';
import type { Kernels } from './kernels.ts';
import type { LinearBuffers, LinearKernel } from './linear.ts';
import { encodeSteps, type Step } from './step.ts';
import type { Heard } from './vocabulary.ts';
import type { LinearOnGpu, WeightsOnGpu } from './weights.ts';

/** What all plans of a decoder share. */
export interface PlanContext {
  readonly device: GPUDevice;
  readonly shape: DecoderShape;
  readonly kernels: Kernels;
  readonly weights: WeightsOnGpu;
}

/** A decoder pass that is ready to encode. */
export interface Plan {
  readonly steps: readonly Step[];
  /** u32 [batch]: memory rows that hold something; written before each pass. */
  readonly lengths: GPUBuffer;
  /** u32 [batch, recordLength(slots)] */
  readonly records: GPUBuffer;
  /** u32 [batch · slots, k]: posteriors as `readPacked` reads them. */
  readonly packed: GPUBuffer;
  /** [batch · slots, width]: what the vocabulary was projected from. */
  readonly rows: GPUBuffer;
  /** [batch · slots]: log Σ exp of all logits of a slot. */
  readonly logTotals: GPUBuffer;
  /** What the slots listen to, of shapes with evidence. */
  readonly heard: Heard | undefined;
  /** Behind the steps, on demand: where the slots look in the last layer. */
  readonly explain: Step;
  /** [batch, slots, memory] */
  readonly attention: GPUBuffer;
  /** Read-back buffers for all results of a pass that no pass is using. */
  readonly readbacks: GPUBuffer[];
  /** Owns all of the plan's buffers. */
  readonly buffers: Buffers;
}

/** What every pass reads of a batch. */
export interface Inputs {
  /** [batch, T, width]; what norm it lacks is in `weights.kv`. */
  readonly memory: GPUBuffer;
  /** [batch, V], of shapes that have it. */
  readonly evidence: GPUBuffer | undefined;
}

/**
 * Builds a plan and computes, once, what is the same for every image: the norm of the queries,
 * layer 0's self-attention and its cross-attention queries.
 *
 * A pass takes 8 dispatches a layer: four fewer in layer 0, and four around the layers.
 *
 * @param buffers makes and owns the plan's buffers
 */
export function buildPlan(
  { device, shape, kernels, weights }: PlanContext,
  buffers: Buffers,
  { memory, evidence }: Inputs,
  batch: number,
  { first, count }: QueryRange,
): Plan {
  const { width, ffn, layers } = shape;
  const rows = batch * count;
  const k = posteriorCount(shape);
  // Residual rows move between `x` and `other`, as no dispatch may read what it writes.
  let x = buffers.storage('x', rows * width);
  let other = buffers.storage('other x', rows * width);
  const qkv = buffers.storage('qkv', rows * 3 * width);
  const q = buffers.storage('cross q', rows * width);
  const seen = buffers.storage('seen', rows * width);
  const inside = buffers.storage('ffn inside', rows * ffn);
  const kv = buffers.storage('kv', batch * shape.memory * 2 * width * layers);
  const sharedX = buffers.storage('shared x', count * width);
  const sharedQ = buffers.storage('shared q', count * width);
  const lengths = buffers.storage('memory lengths', batch);
  // In self-attention every image has as many keys as queries.
  const counts = buffers.upload('query counts', new Uint32Array(batch).fill(count));
  const posteriors = buffers.storage('posteriors', rows * k * 2);
  const logTotals = buffers.storage('log-sum-exps', rows);
  const records = buffers.storage('records', batch * recordLength(count));
  const packed = buffers.storage('packed posteriors', rows * k);

  /** For all rows of the batch, unless another number is given. */
  const linear = (
    kernel: LinearKernel,
    layer: LinearOnGpu,
    io: Pick<LinearBuffers, 'x' | 'y' | 'residual'>,
    rowCount = rows,
    residualRows = rowCount,
  ): Step => kernel.step(buffers, { ...layer, ...io }, rowCount, residualRows);
  const selfAttention = (images: number): Step =>
    kernels.attention.step(
      buffers,
      { queries: qkv, memory: qkv, lengths: counts, y: seen },
      {
        batch: images,
        queries: count,
        queryStride: 3 * width,
        keys: count,
        keyStride: 3 * width,
        keyOffset: width,
        valueOffset: 2 * width,
      },
    );
  const crossAttention = (layer: number): Step =>
    kernels.attention.step(
      buffers,
      { queries: layer > 0 ? q : sharedQ, memory: kv, lengths, y: seen },
      {
        batch,
        queries: count,
        sharedQueries: layer === 0,
        queryStride: width,
        keys: shape.memory,
        keyStride: 2 * width * layers,
        keyOffset: 2 * width * layer,
        valueOffset: 2 * width * layer + width,
      },
    );

  const attention = buffers.storage('attention map', rows * shape.memory);
  const explain = kernels.attentionMap.step(
    buffers,
    { queries: layers > 1 ? q : sharedQ, memory: kv, lengths, map: attention },
    {
      batch,
      queries: count,
      sharedQueries: layers === 1,
      keys: shape.memory,
      keyStride: 2 * width * layers,
      keyOffset: 2 * width * (layers - 1),
    },
  );

  const shared: Step[] = [];
  const steps: Step[] = [
    linear(kernels.kv, weights.kv, { x: memory, y: kv }, batch * shape.memory),
  ];
  weights.layers.forEach((layer, i) => {
    if (i === 0) {
      const { queriesGain: gain, queriesBias: bias } = weights;
      shared.push(
        kernels.queriesNorm.step(buffers, { x: seen, gain, bias, y: x }, count),
        linear(kernels.qkv, layer.qkv, { x, y: qkv }, count),
        selfAttention(1),
        linear(kernels.out, layer.selfOut, { x: seen, residual: x, y: sharedX }, count),
        linear(kernels.crossQ, layer.crossQ, { x: sharedX, y: sharedQ }, count),
      );
      const io = { x: seen, residual: sharedX, y: other };
      steps.push(crossAttention(i), linear(kernels.out, layer.crossOut, io, rows, count));
    } else {
      steps.push(
        linear(kernels.qkv, layer.qkv, { x, y: qkv }),
        selfAttention(batch),
        linear(kernels.out, layer.selfOut, { x: seen, residual: x, y: other }),
        linear(kernels.crossQ, layer.crossQ, { x: other, y: q }),
        crossAttention(i),
        linear(kernels.out, layer.crossOut, { x: seen, residual: other, y: x }),
      );
      [x, other] = [other, x];
    }
    // Either way the rows are in `other` now; the last product takes them back to `x`.
    steps.push(
      linear(kernels.up, layer.up, { x: other, y: inside }),
      linear(kernels.down, layer.down, { x: inside, residual: other, y: x }),
    );
  });
  const { weight, bias } = weights.head;
  const heard = evidence && { evidence, tilt: buffers.storage('tilt', count) };
  steps.push(
    ...kernels.vocabulary.steps(
      buffers,
      { x, weight, bias, posteriors, logTotals, heard },
      rows,
      count,
    ),
    kernels.collapse.step(buffers, { posteriors, records, packed }, batch, count),
  );

  const encoder = device.createCommandEncoder({ label: 'shared prefix' });
  encoder.copyBufferToBuffer(weights.queries, first * width * 4, seen, 0, count * width * 4);
  if (heard && weights.tilt) {
    encoder.copyBufferToBuffer(weights.tilt, first * 4, heard.tilt, 0, count * 4);
  }
  encodeSteps(encoder, shared);
  device.queue.submit([encoder.finish()]);
  return {
    steps,
    lengths,
    records,
    packed,
    rows: x,
    logTotals,
    heard,
    explain,
    attention,
    readbacks: [],
    buffers,
  };
}
