/** Multi-head attention over rows that may lie in wider rows, as queries, keys and values do in a fused product. */

/** A matrix inside another: row r starts at `offset + r · stride`. */
export interface Rows {
  readonly data: Float32Array;
  readonly offset: number;
  readonly stride: number;
}

/** Sizes of one attention. */
export interface AttentionSizes {
  /** Query rows. */
  readonly queries: number;
  /** Key and value rows, at least one. */
  readonly keys: number;
  readonly heads: number;
  /** Width of all heads together, contiguous in a row. */
  readonly width: number;
}

/**
 * Softmax(q·kᵀ / √(width / heads))·v for each head, every query seeing every key.
 *
 * @returns [queries, width]
 */
export function attention(q: Rows, k: Rows, v: Rows, sizes: AttentionSizes): Float32Array {
  const { queries, keys, heads, width } = sizes;
  const headWidth = width / heads;
  const out = new Float32Array(queries * width);
  const weights = new Float64Array(keys);
  const sums = new Float64Array(headWidth);
  for (let head = 0; head < heads; head++) {
    for (let query = 0; query < queries; query++) {
      weigh(q, k, sizes, head, query, weights);
      sums.fill(0);
      for (let key = 0; key < keys; key++) {
        const vAt = v.offset + key * v.stride + head * headWidth;
        for (let i = 0; i < headWidth; i++) sums[i]! += weights[key]! * v.data[vAt + i]!;
      }
      out.set(sums, query * width + head * headWidth);
    }
  }
  return out;
}

/**
 * Where each query looks: the weights of `attention`, averaged over the heads.
 *
 * @param columns keys, and further ones that hold nothing
 * @returns [queries, columns]
 */
export function attentionMap(
  q: Rows,
  k: Rows,
  sizes: AttentionSizes,
  columns: number,
): Float32Array {
  const { queries, keys, heads } = sizes;
  const out = new Float32Array(queries * columns);
  const weights = new Float64Array(keys);
  for (let query = 0; query < queries; query++) {
    const mean = new Float64Array(keys);
    for (let head = 0; head < heads; head++) {
      weigh(q, k, sizes, head, query, weights);
      for (let key = 0; key < keys; key++) mean[key]! += weights[key]! / heads;
    }
    out.set(mean, query * columns);
  }
  return out;
}

/** Writes one head's softmax of a query's scores to `weights` [keys]. */
function weigh(
  q: Rows,
  k: Rows,
  { keys, heads, width }: AttentionSizes,
  head: number,
  query: number,
  weights: Float64Array,
): void {
  const headWidth = width / heads;
  const scale = 1 / Math.sqrt(headWidth);
  const qAt = q.offset + query * q.stride + head * headWidth;
  let max = Number.NEGATIVE_INFINITY;
  for (let key = 0; key < keys; key++) {
    const kAt = k.offset + key * k.stride + head * headWidth;
    let score = 0;
    for (let i = 0; i < headWidth; i++) score += q.data[qAt + i]! * k.data[kAt + i]!;
    weights[key] = score * scale;
    max = Math.max(max, score * scale);
  }
  let total = 0;
  for (let key = 0; key < keys; key++) {
    weights[key] = Math.exp(weights[key]! - max);
    total += weights[key]!;
  }
  for (let key = 0; key < keys; key++) weights[key]! /= total;
}
