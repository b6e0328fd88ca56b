/** A linear layer with what is folded into it on the GPU too: layer norm in front, GELU and residual behind. */
import type { Weight } from '../model/decoder.ts';
import { layerNorm, type Norm } from './layernorm.ts';

/** Columns that one pass over a row computes: with two rows, eight sums stay in registers. */
const panelWidth = 4;

/** A linear layer's weights, laid out for `linear`. */
export interface Linear {
  readonly inputs: number;
  readonly outputs: number;
  /** [ceil(outputs / 4), inputs, 4]: panels of four columns, padded with zeros. */
  readonly panels: Float64Array;
  /** [outputs] */
  readonly bias: Float32Array;
}

/** What `linear` does beside x·W + b. */
export interface LinearOptions {
  /** Normalises the rows of x first. */
  readonly norm?: Norm;
  /** Applies GELU in its tanh form to the product. */
  readonly gelu?: boolean;
  /** Clamps the product to 0…6. */
  readonly relu6?: boolean;
  /** [rows, outputs], added at the end. */
  readonly residual?: Float32Array;
}

/**
 * Lays out a matrix in panels, in float64: a conversion in the inner loop would cost a third of it.
 *
 * @param weight [inputs, outputs]
 * @param bias [outputs]
 */
export function packLinear(weight: Weight, bias: Weight): Linear {
  const [inputs, outputs] = weight.shape as [number, number];
  const panels = new Float64Array(Math.ceil(outputs / panelWidth) * inputs * panelWidth);
  for (let k = 0; k < inputs; k++) {
    for (let j = 0; j < outputs; j++) {
      const panel = Math.floor(j / panelWidth);
      panels[(panel * inputs + k) * panelWidth + (j % panelWidth)] = weight.data[k * outputs + j]!;
    }
  }
  return { inputs, outputs, panels, bias: bias.data };
}

/** An activation that does not grow: numbers of few bits hold what it lets through. */
export function relu6(x: number): number {
  return Math.min(Math.max(x, 0), 6);
}

/** GELU in its tanh form, as the model was trained with. */
export function gelu(x: number): number {
  return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
}

/**
 * y = act(norm(x)·W + b) + residual, with sums in float64.
 *
 * @param x [rows, inputs]
 * @returns [rows, outputs]
 */
export function linear(
  x: Float32Array,
  layer: Linear,
  { norm, gelu: withGelu = false, relu6: clamped = false, residual }: LinearOptions = {},
): Float32Array {
  const { outputs, bias } = layer;
  const y = product(norm ? layerNorm(x, norm) : Float64Array.from(x), layer);
  for (let i = 0; i < y.length; i++) {
    const sum = y[i]! + bias[i % outputs]!;
    const activated = withGelu ? gelu(sum) : clamped ? relu6(sum) : sum;
    y[i] = activated + (residual ? residual[i]! : 0);
  }
  return Float32Array.from(y);
}

/** x·W: two rows by four columns at a time. */
function product(x: Float64Array, { inputs, outputs, panels }: Linear): Float64Array {
  const rows = x.length / inputs;
  const y = new Float64Array(rows * outputs);
  for (let column = 0; column < outputs; column += panelWidth) {
    const panel = column * inputs;
    const columns = Math.min(panelWidth, outputs - column);
    for (let row = 0; row < rows; row += 2) {
      const xa = row * inputs;
      // An odd last row is computed twice rather than by a second loop.
      const xb = Math.min(row + 1, rows - 1) * inputs;
      let a0 = 0;
      let a1 = 0;
      let a2 = 0;
      let a3 = 0;
      let b0 = 0;
      let b1 = 0;
      let b2 = 0;
      let b3 = 0;
      for (let k = 0, w = panel; k < inputs; k++, w += panelWidth) {
        const w0 = panels[w]!;
        const w1 = panels[w + 1]!;
        const w2 = panels[w + 2]!;
        const w3 = panels[w + 3]!;
        const a = x[xa + k]!;
        const b = x[xb + k]!;
        a0 += a * w0;
        a1 += a * w1;
        a2 += a * w2;
        a3 += a * w3;
        b0 += b * w0;
        b1 += b * w1;
        b2 += b * w2;
        b3 += b * w3;
      }
      store(y, row * outputs + column, columns, a0, a1, a2, a3);
      if (row + 1 < rows) store(y, (row + 1) * outputs + column, columns, b0, b1, b2, b3);
    }
  }
  return y;
}

function store(
  y: Float64Array,
  at: number,
  columns: number,
  s0: number,
  s1: number,
  s2: number,
  s3: number,
): void {
  y[at] = s0;
  if (columns > 1) y[at + 1] = s1;
  if (columns > 2) y[at + 2] = s2;
  if (columns > 3) y[at + 3] = s3;
}
