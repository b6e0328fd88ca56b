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
  const scale = 1 / Math.sqrt(headWidth);
  const out = new Float32Array(queries * width);
  const scores = new Float64Array(keys);
  const sums = new Float64Array(headWidth);
  for (let head = 0; head < heads; head++) {
    for (let query = 0; query < queries; query++) {
      const qAt = q.offset + query * q.stride + head * headWidth;
      let max = Number.NEGATIVE_INFINITY;
      for (let key = 0; key < keys; key++) {
        const kAt = k.offset + key * k.stride + head * headWidth;
        let score = 0;
        for (let i = 0; i < headWidth; i++) score += q.data[qAt + i]! * k.data[kAt + i]!;
        scores[key] = score * scale;
        max = Math.max(max, score * scale);
      }
      let total = 0;
      sums.fill(0);
      for (let key = 0; key < keys; key++) {
        const p = Math.exp(scores[key]! - max);
        const vAt = v.offset + key * v.stride + head * headWidth;
        total += p;
        for (let i = 0; i < headWidth; i++) sums[i]! += p * v.data[vAt + i]!;
      }
      const outAt = query * width + head * headWidth;
      for (let i = 0; i < headWidth; i++) out[outAt + i] = sums[i]! / total;
    }
  }
  return out;
}
