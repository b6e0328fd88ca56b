/** Numbers and names as the page writes them. */
import {
  type Caption,
  type DecoderDevice,
  type EncoderDevice,
  isGuess,
  type Said,
} from '../index.ts';

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** `12.3 of 29.3 MB`, in the decimal megabytes that browsers show for downloads. */
export function megabytes(loaded: number, total: number): string {
  return `${tenths.format(loaded / 1e6)} of ${tenths.format(total / 1e6)} MB`;
}

/** Milliseconds with one decimal while it says something: `3.4 ms`, `412 ms`. */
export function milliseconds(ms: number): string {
  return `${(ms < 10 ? tenths : whole).format(ms)} ms`;
}

/** A rate with one decimal while it says something: `3.4 a second`, `28 a second`. */
export function perSecond(rate: number): string {
  return `${(rate < 10 ? tenths : whole).format(rate)} a second`;
}

/** A probability as `93%`. */
export function percent(probability: number): string {
  return `${whole.format(probability * 100)}%`;
}

/** How sure the model is of what it says: `Confidence 93%`. */
export function confidence(probability: number, said: Said): string {
  const text = `Confidence ${percent(probability)}`;
  return isGuess(probability, said) ? `Not sure. ${text}` : text;
}

/** A count with its noun: `1 submit`, `1,024 bytes`. */
export function count(n: number, noun: string, plural = `${noun}s`): string {
  return `${whole.format(n)} ${n === 1 ? noun : plural}`;
}

const encoderNames: Record<EncoderDevice, string> = { webgpu: 'GPU (WebGPU)', wasm: 'CPU (wasm)' };
const decoderNames: Record<DecoderDevice, string> = {
  webgpu: 'GPU (WebGPU)',
  wasm: 'CPU (wasm)',
  reference: 'CPU (TypeScript)',
};

/** What a caption was, or would be, computed on. */
export function deviceNames(device: Caption['device']): { encoder: string; decoder: string } {
  return { encoder: encoderNames[device.encoder], decoder: decoderNames[device.decoder] };
}

/** The model writes in lower case; away from the page's style sheet a sentence needs its capital. */
export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
