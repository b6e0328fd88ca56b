/** Safetensors files for tests, which nothing else here writes. */
import type { DecoderWeights } from '../model/decoder.ts';

/** The file of these weights in f32, in their order. */
export function writeSafetensors(weights: DecoderWeights): Uint8Array<ArrayBuffer> {
  let end = 0;
  const entries = [...weights].map(([name, { shape, data }]) => {
    const begin = end;
    end += data.byteLength;
    return [name, { dtype: 'F32', shape, data_offsets: [begin, end] }] as const;
  });
  const header = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const file = new Uint8Array(8 + header.length + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
  file.set(header, 8);
  let at = 8 + header.length;
  for (const { data } of weights.values()) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return file;
}
