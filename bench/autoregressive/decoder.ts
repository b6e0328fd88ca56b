/**
 * The opponent: an autoregressive decoder with a cache of keys and values, of the same sizes as the
 * one-pass decoder, on the same kernels.
 *
 * Its weights are the one-pass decoder's, with the query table for positions and the vocabulary's
 * projection, transposed, for word embeddings, as a trained twin has them.
 */
import { allocate, type Buffers } from '../../src/gpu/buffers.ts';
import { CostCounter } from '../../src/gpu/counters.ts';
import type { Step } from '../../src/gpu/step.ts';
import { type Tiling, tilingFor } from '../../src/gpu/tiling.ts';
import { uploadWeights } from '../../src/gpu/weights.ts';
import type { DecoderCost, DecoderShape, DecoderWeights } from '../../src/model/decoder.ts';
import { buildPlan, choiceLength, compileKernels, type Plan, type Writing } from './plan.ts';

/** A word that was written, of one text. */
export interface Choice {
  readonly word: number;
  /** The beam that it continues. */
  readonly parent: number;
}

/** What a batch came to. */
export interface Written {
  /** Of each image its likeliest text, an end and what follows it included. */
  readonly texts: readonly (readonly number[])[];
  readonly cost: DecoderCost;
}

export class AutoregressiveDecoder {
  private constructor(
    private readonly device: GPUDevice,
    private readonly writing: Writing,
    /** f32 [batch, T, width], to be written before `decode`. */
    readonly memory: GPUBuffer,
    private readonly plan: Plan,
    private readonly readback: GPUBuffer,
    private readonly buffers: Buffers,
  ) {}

  static async create(
    device: GPUDevice,
    shape: DecoderShape,
    weights: DecoderWeights,
    writing: Writing,
    tiling: Tiling = tilingFor(device),
  ): Promise<AutoregressiveDecoder> {
    const { width, vocabulary } = shape;
    const { batch, beams, words } = writing;
    if (width % 64 !== 0) {
      throw new Error(`width: expected a multiple of 64, for aligned cache rows, got ${width}`);
    }
    const kernels = await compileKernels(device, shape, writing, tiling);
    return allocate(device, (buffers) => {
      const memory = buffers.storage('memory', batch * shape.memory * width);
      const head = weights.get('head.weight')?.data ?? new Float32Array();
      const embeddings = buffers.upload('words', transpose(head, width, vocabulary));
      const uploaded = uploadWeights(buffers, shape, weights);
      const plan = buildPlan(buffers, shape, kernels, uploaded, embeddings, memory, writing);
      const bytes = words * batch * beams * choiceLength(beams) * 4;
      const readback = buffers.readback('choices', bytes);
      return new AutoregressiveDecoder(device, writing, memory, plan, readback, buffers);
    });
  }

  /**
   * Writes texts.
   *
   * @param words of each text, its end included; at most those of the writing
   * @param wait 'end' leaves all words to the GPU and reads them once; 'word' reads each before the
   * next is asked for, as a runtime does that looks at it on the CPU
   */
  async decode(
    memoryLengths: readonly number[],
    words: number,
    wait: 'end' | 'word',
  ): Promise<Written> {
    const { plan, device, writing } = this;
    const counter = new CostCounter();
    device.queue.writeBuffer(plan.lengths, 0, Uint32Array.from(memoryLengths));
    const rows = writing.batch * writing.beams;
    const bytes = rows * choiceLength(writing.beams) * 4;
    const positions: Choice[][] = [];
    let encoder = device.createCommandEncoder({ label: 'write' });
    counter.dispatch(encoder, [plan.read]);
    let waiting = 0;
    for (const [position, steps] of plan.write.slice(0, words).entries()) {
      counter.dispatch(encoder, steps);
      const choices = plan.choices[position] as GPUBuffer;
      encoder.copyBufferToBuffer(choices, 0, this.readback, waiting * bytes, bytes);
      waiting++;
      if (wait === 'end' && position < words - 1) continue;
      counter.submit(device.queue, encoder);
      const numbers = new Uint32Array(await counter.read(this.readback, waiting * bytes));
      for (let at = 0; at < numbers.length; at += bytes / 4) {
        positions.push(readChoices(numbers.subarray(at, at + bytes / 4), writing.beams));
      }
      waiting = 0;
      encoder = device.createCommandEncoder({ label: 'write' });
    }
    const texts = Array.from({ length: writing.batch }, (_, image) =>
      textOf(positions, image * writing.beams, writing.beams),
    );
    return { texts, cost: counter.cost };
  }

  /** The dispatches of so many words. */
  steps(words: number): readonly Step[] {
    return [this.plan.read, ...this.plan.write.slice(0, words).flat()];
  }

  dispose(): void {
    this.buffers.destroy();
  }
}

function readChoices(numbers: Uint32Array, beams: number): Choice[] {
  const length = choiceLength(beams);
  return Array.from({ length: numbers.length / length }, (_, row) => ({
    word: numbers[row * length] ?? 0,
    parent: beams > 1 ? (numbers[row * length + 1] ?? 0) : 0,
  }));
}

/** The words of an image's first text, from its last one back. */
function textOf(positions: readonly Choice[][], first: number, beams: number): number[] {
  let beam = 0;
  const words: number[] = [];
  for (const choices of positions.toReversed()) {
    const choice = choices[first + Math.min(beam, beams - 1)];
    if (!choice) break;
    words.push(choice.word);
    beam = choice.parent;
  }
  return words.reverse();
}

/** [rows, columns] to [columns, rows]. */
function transpose(data: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      turned[column * rows + row] = data[row * columns + column] ?? 0;
    }
  }
  return turned;
}
