/** What the products of linear.wgsl and vocabulary.wgsl are computed in. */
import f16 from '../shaders/parts/numbers_f16.wgsl?raw';
import f32 from '../shaders/parts/numbers_f32.wgsl?raw';
import products from '../shaders/parts/products.wgsl?raw';
import type { Tiling } from './tiling.ts';

/** A kernel's text behind those of its numbers and products. */
export function withProducts(code: string, { productBits }: Pick<Tiling, 'productBits'>): string {
  return (productBits === 16 ? f16 : f32) + products + code;
}
