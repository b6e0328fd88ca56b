/** Where moving pictures come from: the visitor's camera, or a film of theirs. */

/** A source that is open until it is closed. */
export interface Film {
  /** Put it into a video element. */
  show(video: HTMLVideoElement): void;
  close(): void;
}

/** Enough for a model that sees 224 × 224 pixels, and quick to copy. */
const CAMERA: MediaStreamConstraints = {
  audio: false,
  video: { facingMode: 'environment', width: { ideal: 640 }, height: { ideal: 480 } },
};

/** What a visitor can do about a camera that does not open, by the names of its errors. */
const refusals: Readonly<Record<string, string>> = {
  NotAllowedError:
    'The camera was refused. Allow it for this page in the address bar, and try again.',
  NotFoundError: 'There is no camera on this machine. A film works too.',
  NotReadableError: 'The camera does not answer. Another program may be using it.',
};

/** @throws Error that tells the visitor what to do. */
export async function openCamera(): Promise<Film> {
  // Browsers leave it out on pages that are neither local nor encrypted.
  const { mediaDevices } = navigator as { mediaDevices?: MediaDevices };
  if (!mediaDevices) {
    throw new Error('Cameras are for pages on https or localhost, which this one is not.');
  }
  let stream: MediaStream;
  try {
    stream = await mediaDevices.getUserMedia(CAMERA);
  } catch (cause) {
    const name = cause instanceof Error ? cause.name : '';
    throw new Error(refusals[name] ?? `The camera did not open: ${String(cause)}`, { cause });
  }
  return {
    show(video) {
      video.removeAttribute('src');
      video.controls = false;
      video.srcObject = stream;
    },
    close() {
      for (const track of stream.getTracks()) track.stop();
    },
  };
}

/** A film from a file. One that the browser cannot play says so when it is played. */
export function openFilm(file: Blob): Film {
  const url = URL.createObjectURL(file);
  return {
    show(video) {
      video.srcObject = null;
      video.controls = true;
      video.src = url;
    },
    close: () => URL.revokeObjectURL(url),
  };
}
