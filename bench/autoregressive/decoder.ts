/**
 * The opponent: an autoregressive decoder with a cache of keys and values, of the same sizes as the
 * one-pass decoder, on the same kernels.
 *
 * Its weights are the one-pass decoder's, with the query table for positions and the vocabulary's
 * projection, transposed, for word embeddings, as a trained twin has them.
 */
import { allocateIn, Buffers } from '../../src/gpu/buffers.ts';
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
    if (words > shape.queries) {
      throw new Error(`words: expected at most ${shape.queries}, one a position, got ${words}`);
    }
    const kernels = await compileKernels(device, shape, writing, tiling);
    const buffers = new Buffers(device);
    try {
      const uploaded = await uploadWeights(buffers, shape, weights, tiling.weightBits);
      return await allocateIn(buffers, () => {
        const memory = buffers.storage('memory', batch * shape.memory * width);
        const head = weights.get('head.weight')?.data ?? new Float32Array();
        const embeddings = buffers.upload('words', transpose(head, width, vocabulary));
        const plan = buildPlan(buffers, shape, kernels, uploaded, embeddings, memory, writing);
        const bytes = words * batch * beams * choiceLength(beams) * 4;
        const readback = buffers.readback('choices', bytes);
        return new AutoregressiveDecoder(device, writing, memory, plan, readback, buffers);
      });
    } catch (error) {
      buffers.destroy();
      throw error;
    }
  }

  /**
   * Writes texts.
   *
   * @param words of each text, its end included; at most those of the writing
   * @param wait 'end' leaves all words to the GPU and reads them once; 'word' reads each before the
   * next is asked for, as a runtime does that looks at it on the CPU
   * @param onWord called after each word, if they are waited for one by one
   */
  async decode(
    memoryLengths: readonly number[],
    words: number,
    wait: 'end' | 'word',
    onWord: () => void = () => {},
  ): Promise<Written> {
    const { plan, device, writing } = this;
    if (words < 1 || words > writing.words) {
      throw new RangeError(`words: expected 1 to ${writing.words}, got ${words}`);
    }
    const counter = new CostCounter();
    device.queue.writeBuffer(plan.lengths, 0, Uint32Array.from(memoryLengths));
    const positions: Choice[][] = [];
    if (wait === 'end') {
      await this.#write(counter, this.steps(words), plan.choices.slice(0, words), positions);
    } else {
      for (const [position, choices] of plan.choices.slice(0, words).entries()) {
        const steps = plan.write[position] ?? [];
        const all = position === 0 ? [plan.read, ...steps] : steps;
        await this.#write(counter, all, [choices], positions);
        onWord();
      }
    }
    const texts = Array.from({ length: writing.batch }, (_, image) =>
      textOf(positions, image * writing.beams, writing.beams),
    );
    return { texts, cost: counter.cost };
  }

  /** One submit: dispatches, then what was chosen at some positions, to the CPU. */
  async #write(
    counter: CostCounter,
    steps: readonly Step[],
    choices: readonly GPUBuffer[],
    positions: Choice[][],
  ): Promise<void> {
    const { batch, beams } = this.writing;
    const bytes = batch * beams * choiceLength(beams) * 4;
    const encoder = this.device.createCommandEncoder({ label: 'write' });
    counter.dispatch(encoder, steps);
    for (const [i, buffer] of choices.entries()) {
      encoder.copyBufferToBuffer(buffer, 0, this.readback, i * bytes, bytes);
    }
    counter.submit(this.device.queue, encoder);
    const numbers = new Uint32Array(await counter.read(this.readback, choices.length * bytes));
    for (let at = 0; at < numbers.length; at += bytes / 4) {
      positions.push(readChoices(numbers.subarray(at, at + bytes / 4), beams));
    }
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
export function transpose(data: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      turned[column * rows + row] = data[row * columns + column] ?? 0;
    }
  }
  return turned;
}
