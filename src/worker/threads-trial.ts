/**
 * Vision in WebAssembly on some number of threads, in a worker of its own: how many there are is fixed when
 * onnxruntime starts.
 */
import type { InferenceSession } from 'onnxruntime-web';
import { onnxRuntime, serveWasmFrom, useThreads } from '../encoder/runtime.ts';
import type { WasmUrls } from '../encoder/wasm-urls.ts';

/** What the worker is called, by which its script knows what it is for. */
export const TRIAL = 'narvl-threads';

/** What it is given first; each further message, whatever it says, has it run once. */
export interface TrialSetUp {
  readonly wasm: WasmUrls;
  readonly threads: number;
  /** vision.onnx */
  readonly vision: ArrayBuffer;
  /** Pixels of an image's side. */
  readonly size: number;
}

/** What it answers to either: how long that took, or why it could not be done. */
export type TrialAnswer = { readonly milliseconds: number } | { readonly reason: string };

/** Answers this worker's messages, one after the other. */
export function serveTrial(): void {
  let vision: Promise<() => Promise<unknown>> | undefined;
  self.addEventListener('message', async ({ data }: MessageEvent<TrialSetUp>) => {
    let answer: TrialAnswer;
    const begun = performance.now();
    try {
      if (vision) await (await vision)();
      else {
        vision = open(data);
        await vision;
      }
      answer = { milliseconds: performance.now() - begun };
    } catch (error) {
      answer = { reason: error instanceof Error ? error.message : String(error) };
    }
    self.postMessage(answer);
  });
}

async function open({ wasm, threads, vision, size }: TrialSetUp): Promise<() => Promise<unknown>> {
  serveWasmFrom(wasm);
  useThreads(threads);
  const ort = await onnxRuntime();
  const session: InferenceSession = await ort.InferenceSession.create(new Uint8Array(vision), {
    executionProviders: ['wasm'],
  });
  // Of zeros, which take as long as any.
  const pixels = new ort.Tensor('float32', new Float32Array(3 * size * size), [1, 3, size, size]);
  return () => session.run({ pixels });
}
