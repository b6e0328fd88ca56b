/** The autoregressive decoder in plain TypeScript, without a cache: the oracle for the other. */
import type { DecoderShape, DecoderWeights } from '../../src/model/decoder.ts';
import { attention } from '../../src/reference/attention.ts';
import { layersOf } from '../../src/reference/layers.ts';
import { linear } from '../../src/reference/linear.ts';
import { posteriors } from '../../src/reference/posterior.ts';
import { START } from './plan.ts';

interface Text {
  readonly words: readonly number[];
  readonly logProb: number;
  readonly ended: boolean;
}

/**
 * The likeliest of `beams` texts of so many words.
 *
 * @param memory [rows, width], all of which hold something
 */
export function write(
  shape: DecoderShape,
  weights: DecoderWeights,
  memory: Float32Array,
  { beams, words }: { beams: number; words: number },
): Text {
  let texts: Text[] = [{ words: [], logProb: 0, ended: false }];
  for (let position = 0; position < words; position++) {
    texts = texts
      .flatMap((text): Text[] => {
        if (text.ended) return [{ ...text, words: [...text.words, shape.eos] }];
        const logits = logitsAfter(shape, weights, memory, text.words);
        const next = posteriors(logits, shape.vocabulary, beams);
        return Array.from(next.tokens, (word, i) => ({
          words: [...text.words, word],
          logProb: text.logProb + (next.logProbs[i] ?? Number.NaN),
          ended: word === shape.eos,
        }));
      })
      .sort((a, b) => b.logProb - a.logProb)
      .slice(0, beams);
  }
  return texts[0] as Text;
}

/** [vocabulary]: of the word behind those that are given. */
function logitsAfter(
  shape: DecoderShape,
  weights: DecoderWeights,
  memory: Float32Array,
  words: readonly number[],
): Float32Array {
  const { width, heads, vocabulary, layers } = shape;
  const { weight, norm, linear: pack } = layersOf(shape, weights);
  const inputs = [START, ...words];
  const positions = weight('queries.weight').data;
  const head = weight('head.weight').data;
  let x: Float32Array = Float32Array.from({ length: inputs.length * width }, (_, i) => {
    const word = inputs[Math.floor(i / width)] ?? START;
    return (head[(i % width) * vocabulary + word] ?? 0) * Math.sqrt(width) + (positions[i] ?? 0);
  });
  const kv = { data: linear(memory, pack('cross.kv')), stride: 2 * width * layers };
  for (let i = 0; i < layers; i++) {
    const layer = `layers.${i}`;
    const data = linear(x, pack(`${layer}.self.qkv`), { norm: norm(`${layer}.self.norm`) });
    const at = (offset: number) => ({ data, offset, stride: 3 * width });
    const seen = new Float32Array(x.length);
    for (let row = 0; row < inputs.length; row++) {
      const sizes = { queries: 1, keys: row + 1, heads, width };
      seen.set(attention(at(row * 3 * width), at(width), at(2 * width), sizes), row * width);
    }
    x = linear(seen, pack(`${layer}.self.out`), { residual: x });
    const q = linear(x, pack(`${layer}.cross.q`), { norm: norm(`${layer}.cross.norm`) });
    const looked = attention(
      { data: q, offset: 0, stride: width },
      { ...kv, offset: 2 * width * i },
      { ...kv, offset: 2 * width * i + width },
      { queries: inputs.length, keys: memory.length / width, heads, width },
    );
    x = linear(looked, pack(`${layer}.cross.out`), { residual: x });
    const inside = linear(x, pack(`${layer}.ffn.up`), {
      norm: norm(`${layer}.ffn.norm`),
      gelu: true,
    });
    x = linear(inside, pack(`${layer}.ffn.down`), { residual: x });
  }
  return linear(x.subarray(-width), pack('head'), { norm: norm('head.norm') });
}
