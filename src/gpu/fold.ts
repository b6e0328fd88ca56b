/** Folds a layer norm into the linear layer behind it. */

/** A linear layer's weights as a kernel takes them. */
export interface LinearWeights {
  /** [inputs, outputs] */
  readonly weight: Float32Array;
  /** [outputs] */
  readonly bias: Float32Array;
}

/** The learnt part of a layer norm, [inputs] each. */
export interface NormWeights {
  readonly gain: Float32Array;
  readonly bias: Float32Array;
}

/**
 * W' and b' so that LN(x)·W + b = x·W' / √(variance(x) + ε) + b'.
 *
 * LN(x) = c·gain + bias for c = (x − mean(x)) / deviation. The gain scales the rows of W, the bias
 * adds bias·W to b, and subtracting from every column of W its mean does what subtracting the
 * mean of x would.
 */
export function foldNorm({ weight, bias }: LinearWeights, norm: NormWeights): LinearWeights {
  const inputs = norm.gain.length;
  const outputs = bias.length;
  const means = new Float64Array(outputs);
  const biases = Float64Array.from(bias);
  for (let k = 0; k < inputs; k++) {
    const gain = norm.gain[k] ?? 0;
    const normBias = norm.bias[k] ?? 0;
    for (let j = 0; j < outputs; j++) {
      const w = weight[k * outputs + j] ?? 0;
      means[j] = (means[j] ?? 0) + (gain * w) / inputs;
      biases[j] = (biases[j] ?? 0) + normBias * w;
    }
  }
  const folded = new Float32Array(weight.length);
  for (let k = 0; k < inputs; k++) {
    const gain = norm.gain[k] ?? 0;
    for (let j = 0; j < outputs; j++) {
      folded[k * outputs + j] = gain * (weight[k * outputs + j] ?? 0) - (means[j] ?? 0);
    }
  }
  return { weight: folded, bias: Float32Array.from(biases) };
}

/** Pads the outputs with zeros to a multiple of 4, as kernels read columns four at a time. */
export function padOutputs({ weight, bias }: LinearWeights): LinearWeights {
  const outputs = bias.length;
  const padded = Math.ceil(outputs / 4) * 4;
  if (padded === outputs) return { weight, bias };
  const inputs = weight.length / outputs;
  const wide = new Float32Array(inputs * padded);
  for (let k = 0; k < inputs; k++) {
    wide.set(weight.subarray(k * outputs, (k + 1) * outputs), k * padded);
  }
  const wideBias = new Float32Array(padded);
  wideBias.set(bias);
  return { weight: wide, bias: wideBias };
}
