/** The one error type of the library, with a code that survives the worker border. */

/** What went wrong, as a word that a program can switch on. */
export type NarvlErrorCode =
  /** An argument is not of the kind that the call takes. */
  | 'invalid-argument'
  /** The bytes are of no image format that is read here. */
  | 'unsupported-image'
  /** The image's header says more pixels than are decoded. */
  | 'image-too-large'
  /** The image's type is known, but its pixels cannot be decoded. */
  | 'image-unreadable'
  /** The server does not have a file, or no server answered. */
  | 'download-failed'
  /** A model file does not have the size or hash that its manifest promises. */
  | 'integrity'
  /** The manifest, the weights or the tokenizer are not what the runtime can use. */
  | 'invalid-model'
  /** WebGPU was asked for by name and is not there. */
  | 'webgpu-unavailable'
  /** The GPU has not enough memory for the model or the batch. */
  | 'out-of-memory'
  /** More looks are alive than are kept: dispose of some. */
  | 'too-many-looks'
  /** The GPU device went away; the next call starts anew, and looks have to be looked again. */
  | 'device-lost'
  /** The caller's signal said stop. */
  | 'aborted'
  /** The object was disposed before or while the call ran. */
  | 'disposed'
  /** The worker died or fell silent; the next call starts anew, and looks have to be looked again. */
  | 'worker-failed';

/** An error whose `code` says what kind it is and whose message says what was expected and came. */
export class NarvlError extends Error {
  override readonly name = 'NarvlError';

  constructor(
    readonly code: NarvlErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * Whether the worker went with this error, with all that waited for it and all its looks: the next call
 * starts anew.
 */
export function isLost(error: unknown): error is NarvlError {
  return (
    error instanceof NarvlError && (error.code === 'device-lost' || error.code === 'worker-failed')
  );
}
