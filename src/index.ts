/** The public surface: captions for photographs, written in one parallel decoder pass. */
export type { CallOptions, ImageSource, LoadOptions } from './client.ts';
export { Narvl } from './client.ts';
export { NarvlError, type NarvlErrorCode } from './errors.ts';
export type { DecoderCost } from './model/decoder.ts';
export type {
  AlignmentSlot,
  Caption,
  DecoderDevice,
  Device,
  DeviceChoice,
  EncoderDevice,
  Progress,
  SlotPosteriors,
  SlotRole,
  TextToken,
  Timings,
} from './protocol.ts';
