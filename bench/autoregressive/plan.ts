/** An autoregressive decoder laid out: for every position the dispatches that write one more word. */
import { AttentionKernel, type AttentionLayout } from '../../src/gpu/attention.ts';
import type { Buffers } from '../../src/gpu/buffers.ts';
import { LinearKernel, type LinearOptions } from '../../src/gpu/linear.ts';
import { type Binding, bind, compile, type Step } from '../../src/gpu/step.ts';
import type { Tiling } from '../../src/gpu/tiling.ts';
import { VocabularyKernel } from '../../src/gpu/vocabulary.ts';
import type { LinearOnGpu, WeightsOnGpu } from '../../src/gpu/weights.ts';
import type { DecoderShape } from '../../src/model/decoder.ts';
import embedCode from './embed.wgsl?raw';
import reorderCode from './reorder.wgsl?raw';
import selectCode from './select.wgsl?raw';

/** How many texts are written, and how long. */
export interface Writing {
  readonly batch: number;
  /** Texts kept of each image; 1 is greedy search. */
  readonly beams: number;
  /** Words of each text at most, its end included; no more than the shape has queries. */
  readonly words: number;
}

/** A decoder's kernels, for a number of rows. */
export interface Kernels {
  readonly embed: GPUComputePipeline;
  readonly kv: LinearKernel;
  readonly qkv: LinearKernel;
  readonly out: LinearKernel;
  readonly crossQ: LinearKernel;
  readonly up: LinearKernel;
  readonly down: LinearKernel;
  readonly attention: AttentionKernel;
  /** Beams of an image look at the same memory. */
  readonly crossAttention: AttentionKernel;
  readonly vocabulary: VocabularyKernel;
  /** Only for beam search. */
  readonly select: GPUComputePipeline | undefined;
  readonly reorder: GPUComputePipeline | undefined;
}

/** Id of the word before the first, as in training/data/tokenizer.py. */
export const START = 1;

/** u32 numbers of a choice: a word and its log probability, or what select.wgsl says. */
export const choiceLength = (beams: number): number => (beams > 1 ? 4 : 2);

/** The kernels that the one-pass decoder has, cut for so few rows, and three of our own. */
export async function compileKernels(
  device: GPUDevice,
  shape: DecoderShape,
  { batch, beams }: Writing,
  tiling: Tiling,
): Promise<Kernels> {
  const { width, heads, layers, ffn, epsilon, eos } = shape;
  const rows = batch * beams;
  // A tile of four rows would compute one row four times.
  const narrow: Tiling = { ...tiling, tileRows: rows === 1 ? 1 : tiling.tileRows };
  const linear = (inputs: number, outputs: number, options: Partial<LinearOptions> = {}) =>
    LinearKernel.compile(device, { inputs, outputs, ...options }, narrow);
  const normed = { normEpsilon: epsilon };
  const attend = (queryRows: number) =>
    AttentionKernel.compile(device, {
      heads,
      width,
      maxKeys: Math.max(shape.memory, shape.queries),
      lanes: tiling.attentionLanes,
      queryRows,
    });
  const [embed, kv, qkv, out, crossQ, up, down, attention, crossAttention, vocabulary] =
    await Promise.all([
      compile(device, 'embed', embedCode, { WIDTH: width, START, CHOICE: choiceLength(beams) }),
      LinearKernel.compile(device, { inputs: width, outputs: 2 * width * layers }, tiling),
      linear(width, 3 * width, normed),
      linear(width, width, { residual: true }),
      linear(width, width, normed),
      linear(width, ffn, { ...normed, gelu: true }),
      linear(ffn, width, { residual: true }),
      // One query a text: more rows would repeat it.
      attend(1),
      attend(beams === 1 ? 1 : 4 * 2 ** Math.ceil(Math.log2(beams / 4))),
      VocabularyKernel.compile(
        device,
        { inputs: width, vocabulary: shape.vocabulary, normEpsilon: epsilon, k: beams },
        narrow,
      ),
    ]);
  const [select, reorder] =
    beams > 1
      ? await Promise.all([
          compile(device, 'select', selectCode, { BEAMS: beams, EOS: eos }),
          compile(device, 'reorder', reorderCode, { WIDTH: width, ROWS: rows, BEAMS: beams }),
        ])
      : [];
  return {
    ...{ embed, kv, qkv, out, crossQ, up, down, attention, crossAttention, vocabulary },
    ...{ select, reorder },
  };
}

/** All dispatches of a text, and where its words are. */
export interface Plan {
  /** Before the first word: keys and values of the memory. */
  readonly read: Step;
  /** Of each position, what writes its word. */
  readonly write: readonly (readonly Step[])[];
  /** u32 [batch]: memory rows that hold something. */
  readonly lengths: GPUBuffer;
  /** Of each position, u32 [batch · beams, choiceLength]. */
  readonly choices: readonly GPUBuffer[];
}

/**
 * @param words [vocabulary, width], which the head's weights are folded from
 * @param memory [batch, T, width]
 */
export function buildPlan(
  buffers: Buffers,
  shape: DecoderShape,
  kernels: Kernels,
  weights: WeightsOnGpu,
  words: GPUBuffer,
  memory: GPUBuffer,
  writing: Writing,
): Plan {
  const { width, ffn, layers } = shape;
  const { device } = buffers;
  const { batch, beams } = writing;
  const rows = batch * beams;
  let x = buffers.storage('x', rows * width);
  let other = buffers.storage('other x', rows * width);
  const q = buffers.storage('cross q', rows * width);
  const seen = buffers.storage('seen', rows * width);
  const inside = buffers.storage('ffn inside', rows * ffn);
  const kv = buffers.storage('kv', batch * shape.memory * 2 * width * layers);
  const logTotals = buffers.storage('log-sum-exps', rows);
  const lengths = buffers.storage('memory lengths', batch);
  const all = buffers.upload('no limits', new Uint32Array(rows).fill(writing.words));

  // One a position: no dispatch may read and write parts of the same buffer.
  const choices = Array.from({ length: writing.words }, () =>
    buffers.storage('choices', rows * choiceLength(beams)),
  );
  const posteriors = buffers.storage('posteriors', rows * beams * 2);
  // [position, layer, row, 3·width], so that a step's rows are neighbours. Two, in turns, where
  // texts change places.
  const layerRows = rows * 3 * width;
  const caches = (beams > 1 ? ['cache', 'other cache'] : ['cache']).map((label) =>
    buffers.storage(label, writing.words * layers * layerRows),
  );

  const linear = (
    kernel: LinearKernel,
    layer: LinearOnGpu,
    io: { x: GPUBuffer; y: Binding; residual?: GPUBuffer },
  ): Step => kernel.step(buffers, { ...layer, ...io }, rows);
  const crossLayout = (layer: number): AttentionLayout => ({
    batch,
    queries: beams,
    queryStride: width,
    keys: shape.memory,
    keyStride: 2 * width * layers,
    keyOffset: 2 * width * layer,
    valueOffset: 2 * width * layer + width,
  });

  const write = Array.from({ length: writing.words }, (_, position): Step[] => {
    const cache = caches[position % caches.length] as GPUBuffer;
    const sizes = buffers.sizes('position', position);
    const chosen = choices[position] as GPUBuffer;
    const last = choices[position - 1] ?? posteriors;
    const steps: Step[] = [];
    if (kernels.reorder && position > 0) {
      const before = caches[(position - 1) % caches.length] as GPUBuffer;
      steps.push(
        bind(
          device,
          kernels.reorder,
          [last, before, cache],
          [Math.ceil(width / 2 / 64), rows, position * layers],
          { operations: 0, numbers: 4 * position * layers * rows * width },
        ),
      );
    }
    steps.push(
      bind(
        device,
        kernels.embed,
        [sizes, last, words, weights.queries, x],
        [Math.ceil(width / 4 / 64), rows, 1],
        { operations: 2 * rows * width, numbers: (2 * rows + 1) * width },
      ),
    );
    weights.layers.forEach((layer, i) => {
      const at = (position * layers + i) * layerRows;
      const row = { buffer: cache, offset: at * 4, size: layerRows * 4 };
      steps.push(
        linear(kernels.qkv, layer.qkv, { x, y: row }),
        kernels.attention.step(
          buffers,
          { queries: row, memory: cache, lengths: all, y: seen },
          {
            batch: rows,
            queries: 1,
            queryStride: 3 * width,
            keys: position + 1,
            imageStride: 3 * width,
            keyStride: layers * layerRows,
            keyOffset: i * layerRows + width,
            valueOffset: i * layerRows + 2 * width,
          },
        ),
        linear(kernels.out, layer.selfOut, { x: seen, residual: x, y: other }),
        linear(kernels.crossQ, layer.crossQ, { x: other, y: q }),
        kernels.crossAttention.step(
          buffers,
          { queries: q, memory: kv, lengths, y: seen },
          crossLayout(i),
        ),
        linear(kernels.out, layer.crossOut, { x: seen, residual: other, y: x }),
        linear(kernels.up, layer.up, { x, y: inside }),
        linear(kernels.down, layer.down, { x: inside, residual: x, y: other }),
      );
      [x, other] = [other, x];
    });
    const { weight, bias } = weights.head;
    const found = beams > 1 ? posteriors : chosen;
    steps.push(
      ...kernels.vocabulary.steps(buffers, { x, weight, bias, posteriors: found, logTotals }, rows),
    );
    if (kernels.select) {
      steps.push(
        bind(device, kernels.select, [sizes, found, last, chosen], [batch, 1, 1], {
          operations: rows * beams,
          numbers: 2 * rows * (beams + 4),
        }),
      );
    }
    return steps;
  });
  return {
    read: kernels.kv.step(buffers, { ...weights.kv, x: memory, y: kv }, batch * shape.memory),
    write,
    lengths,
    choices,
  };
}
