/** The worker: one model, and the jobs that the page has for it. */
import * as Comlink from 'comlink';
import { onnxRuntime, serveWasmFrom } from '../encoder/runtime.ts';
import { NarvlError } from '../errors.ts';
import {
  bitmapsOf,
  type Outcome,
  type Priority,
  type WireImage,
  type WorkerApi,
} from '../protocol.ts';
import { Jobs } from './jobs.ts';
import { outcomeOf } from './outcome.ts';
import { Pipeline } from './pipeline.ts';
import { serveTrial, TRIAL } from './threads-trial.ts';

const jobs = new Jobs();
let pipeline: Pipeline | undefined;

/** Runs a job of the open model's when it is its turn, unless it is aborted before. */
async function asJob<T>(
  job: number,
  priority: Priority | undefined,
  images: readonly WireImage[],
  work: (model: Pipeline, signal: AbortSignal) => Promise<T>,
): Promise<Outcome<T>> {
  try {
    return await outcomeOf(() =>
      jobs.run(
        job,
        (signal) => {
          if (!pipeline) throw new NarvlError('worker-failed', 'No model is open');
          return work(pipeline, signal);
        },
        priority,
      ),
    );
  } finally {
    // Of a job that did not come to read them.
    for (const bitmap of bitmapsOf(images)) bitmap.close();
  }
}

const api: WorkerApi = {
  open: (request, onProgress) =>
    outcomeOf(() =>
      jobs.next(async () => {
        serveWasmFrom(request.wasm);
        pipeline = await Pipeline.open(request, onProgress);
        return pipeline.info;
      }),
    ),
  askImages: (job, request) =>
    asJob(job, request.priority, request.images, (model, signal) =>
      model.askImages(request, signal),
    ),
  look: (job, request) =>
    asJob(job, request.priority, [request.image], (model, signal) => model.look(request, signal)),
  askLook: (job, request) =>
    asJob(job, request.priority, [], (model, signal) => model.askLook(request, signal)),
  memory: () =>
    outcomeOf(async () => {
      if (!pipeline) throw new NarvlError('worker-failed', 'No model is open');
      return pipeline.memory;
    }),
  // Not beside a job: memory is freed by the runtime that it may be using.
  forget: (look) => void jobs.next(() => pipeline?.forget(look)),
  abort: (job) => jobs.abort(job),
};

if (self.name.startsWith('em-pthread')) {
  // A thread of onnxruntime's, which starts it from the script that the runtime is in: in the package this one.
  void onnxRuntime();
} else if (self.name === TRIAL) {
  serveTrial();
} else {
  // A dedicated worker's only peer is the page that made it; there is no other origin to refuse.
  Comlink.expose(api);
}
