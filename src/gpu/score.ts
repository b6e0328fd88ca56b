/** Runs token_log_probs.wgsl and ctc_score.wgsl: how likely some tokens are, and texts made of them. */
import { columnsOf } from '../model/columns.ts';
import type { DecoderShape, Scored, TokenTable } from '../model/decoder.ts';
import scoreCode from '../shaders/ctc_score.wgsl?raw';
import tokensCode from '../shaders/token_log_probs.wgsl?raw';
import type { Buffers } from './buffers.ts';
import type { Numbers, Source } from './results.ts';
import { bind, compile, type Step } from './step.ts';
import type { Tiling } from './tiling.ts';
import type { Heard } from './vocabulary.ts';

type ScoreTiling = Pick<Tiling, 'weightBits' | 'lanes' | 'scoreLanes'>;

/** What a decoder pass leaves for the scores. */
export interface ScoreInputs {
  /** [batch · slots, width] */
  readonly rows: GPUBuffer;
  /** As `VocabularyBuffers` has them, with the norm folded in. */
  readonly weight: GPUBuffer;
  readonly bias: GPUBuffer;
  /** [batch · slots] */
  readonly logTotals: GPUBuffer;
  readonly heard?: Heard | undefined;
}

/** Dispatches that are ready to encode, and where they write. */
export interface Tabling {
  readonly steps: readonly Step[];
  /** Token of each column of `logProbs`. */
  readonly tokens: Uint32Array;
  /** [batch · slots, columns] */
  readonly logProbs: Source;
  /** Owns what was made for these tokens. */
  readonly buffers: Buffers;
}

/** The same with the scores of candidates that are made of these tokens. */
export interface Scoring extends Tabling {
  /** [batch, candidates] */
  readonly scores: Source;
}

/** Scores up to which no path spells a text; as in the shader, with room for what was added. */
const IMPOSSIBLE = -1e29;

/** The compiled scorer. */
export class ScoreKernel {
  private constructor(
    private readonly shape: DecoderShape,
    private readonly tiling: ScoreTiling,
    private readonly tokensPipeline: GPUComputePipeline,
    private readonly scorePipeline: GPUComputePipeline,
  ) {}

  static async compile(
    device: GPUDevice,
    shape: DecoderShape,
    tiling: ScoreTiling,
  ): Promise<ScoreKernel> {
    const [tokens, score] = await Promise.all([
      compile(device, 'token log probabilities', tokensCode, {
        INPUTS: shape.width,
        VOCABULARY: shape.vocabulary,
        EPSILON: shape.epsilon,
        EVIDENCE: shape.evidence ?? false,
        BITS: tiling.weightBits,
        LANES: tiling.lanes,
      }),
      compile(device, 'ctc score', scoreCode, {
        MOST_SLOTS: shape.queries,
        LANES: tiling.scoreLanes,
      }),
    ]);
    return new ScoreKernel(shape, tiling, tokens, score);
  }

  /** Behind a pass over `batch` images of `slots` slots: one dispatch; `tokens` are all different. */
  table(
    owner: Buffers,
    { rows, weight, bias, logTotals, heard }: ScoreInputs,
    tokens: Uint32Array,
    batch: number,
    slots: number,
  ): Tabling {
    const width = tokens.length;
    if (this.shape.evidence && !heard) throw new Error('Expected evidence that the rows listen to');
    const logProbs = owner.storage('token log probabilities', batch * slots * width);
    const step = bind(
      owner.device,
      this.tokensPipeline,
      [
        owner.sizes('token log probabilities', batch * slots, width, slots),
        rows,
        weight,
        bias,
        logTotals,
        owner.upload('tokens', tokens),
        logProbs,
        heard?.evidence ?? rows,
        heard?.tilt ?? rows,
      ],
      [Math.ceil(width / this.tiling.lanes), Math.ceil((batch * slots) / 4), 1],
      {
        operations: 2 * batch * slots * this.shape.width * width,
        numbers:
          (this.shape.width + batch * slots) * width +
          batch * slots * this.shape.width +
          (heard ? batch * width + slots : 0),
      },
    );
    return {
      steps: [step],
      tokens,
      logProbs: { buffer: logProbs, numbers: slots * width },
      buffers: owner,
    };
  }

  /** Behind a pass as `table`: two dispatches; `candidates` are token ids, one or more. */
  steps(
    owner: Buffers,
    inputs: ScoreInputs,
    candidates: readonly (readonly number[])[],
    batch: number,
    slots: number,
  ): Scoring {
    const columns = columnsOf(candidates, this.shape);
    const width = columns.tokens.length;
    const lengths = Uint32Array.from(columns.texts, (text) => text.length);
    // What is longer cannot be spelt, whatever its words are.
    const longest = lengths.reduce((most, length) => Math.max(most, Math.min(length, slots)), 1);
    const spelt = lengths.reduce((sum, length) => sum + (length > slots ? 0 : length), 0);
    const words = new Uint32Array(candidates.length * longest);
    for (const [i, text] of columns.texts.entries()) {
      words.set(text.slice(0, longest), i * longest);
    }
    const table = this.table(owner, inputs, columns.tokens, batch, slots);
    const scores = owner.storage('scores', batch * candidates.length);
    const step = bind(
      owner.device,
      this.scorePipeline,
      [
        owner.sizes('ctc score', slots, width, longest),
        table.logProbs.buffer,
        owner.upload('candidate lengths', lengths),
        owner.upload('candidate words', words),
        scores,
      ],
      [candidates.length, batch, 1],
      {
        // A state adds three paths and its emission in log space.
        operations: 10 * batch * slots * (2 * spelt + 3 * candidates.length),
        numbers: batch * (slots * width + candidates.length) + words.length + lengths.length,
      },
    );
    return {
      ...table,
      steps: [...table.steps, step],
      scores: { buffer: scores, numbers: candidates.length },
    };
  }
}

/** Reads one image's table. */
export function readTable(logProbs: Numbers, tokens: Uint32Array): TokenTable {
  return { tokens, logProbs: logProbs.floats.slice() };
}

/** Reads one image's scores: -Infinity for what no path spells, and the table that they are of. */
export function readScored(scores: Numbers, logProbs: Numbers, tokens: Uint32Array): Scored {
  return {
    logProbs: scores.floats.map((score) => (score < IMPOSSIBLE ? -Infinity : score)),
    table: readTable(logProbs, tokens),
  };
}
