/** The public surface: captions and answers about photographs, written in one decoder pass. */

export { isLost, NarvlError, type NarvlErrorCode } from './errors.ts';
export { isGuess, type Said } from './guess.ts';
export type { DecoderCost, WeightBits } from './model/decoder.ts';
export type { Box, Edges } from './model/image.ts';
export type { Region } from './model/part.ts';
export { type LoadOptions, Narvl } from './page/client.ts';
export type { ImageSource } from './page/image-source.ts';
export type {
  AskOptions,
  CallOptions,
  CaptionOptions,
  Look,
  LookOptions,
  ScoreOptions,
} from './page/look.ts';
export type { OwnFileOptions, WasmPaths } from './page/own-files.ts';
export type { LiveCaption, WatchOptions } from './page/watch.ts';
export type {
  AlignmentSlot,
  Alternative,
  Answer,
  Attention,
  Candidate,
  Caption,
  DecoderDevice,
  Device,
  DeviceChoice,
  EncoderDevice,
  Entailed,
  EntailmentLabel,
  LoadTimes,
  Located,
  MemoryUse,
  ModelInfo,
  Priority,
  Progress,
  SearchKind,
  SlotPosteriors,
  SlotRole,
  TextToken,
  TextWord,
  Timings,
  Wanted,
} from './protocol.ts';
