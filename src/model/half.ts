/** IEEE half-precision numbers as bits; `Float16Array` is not in every browser yet. */

/** The value of half-precision bits. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const single = new Float32Array(1);
const singleBits = new Uint32Array(single.buffer);

/** The bits of the half nearest to an f32 number, of two the even one; infinite beyond 65,519. */
export function numberToHalf(value: number): number {
  single[0] = value;
  const bits = singleBits[0] ?? 0;
  const sign = (bits >>> 16) & 0x8000;
  const exponent = (bits >>> 23) & 0xff;
  const fraction = bits & 0x7fffff;
  if (exponent === 0xff) return sign | 0x7c00 | (fraction ? 0x200 : 0);
  // Half's exponents are 112 less. Below 1 they are spent, and the leading one becomes a digit.
  const shift = 13 + Math.max(0, 113 - exponent);
  if (shift > 24) return sign;
  const digits = (exponent > 112 ? (exponent - 112) << 23 : 0x800000) + fraction;
  const half = digits >>> shift;
  const rest = digits & ((1 << shift) - 1);
  const middle = 1 << (shift - 1);
  const up = rest > middle || (rest === middle && (half & 1) === 1) ? 1 : 0;
  return sign | Math.min(half + up, 0x7c00); // A carry rightly raises the exponent.
}
