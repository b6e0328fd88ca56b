/** What the products of linear.wgsl and vocabulary.wgsl are computed in. */
import f16 from '../shaders/parts/numbers_f16.wgsl?raw';
import f32 from '../shaders/parts/numbers_f32.wgsl?raw';
import weights from '../shaders/parts/weights.wgsl?raw';
import type { Tiling } from './tiling.ts';

/** Groups of four inputs whose products an f16 sums up before f32 takes over. */
const RUN = 4;

/** A kernel's text behind its numbers and weights, and the overrides that come with them. */
export function withNumbers(
  code: string,
  inputs: number,
  { weightBits, productBits }: Pick<Tiling, 'weightBits' | 'productBits'>,
): { code: string; constants: { BITS: number; RUN: number } } {
  return {
    code: (productBits === 16 ? f16 : f32) + weights + code,
    constants: { BITS: weightBits, RUN: productBits === 16 ? RUN : inputs / 4 },
  };
}
