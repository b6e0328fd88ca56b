/**
 * The worker: one model, one queue.
 *
 * onnxruntime blocks for good when two of its calls overlap, so everything that touches it or the
 * GPU waits its turn here.
 */
import * as Comlink from 'comlink';
import PQueue from 'p-queue';
import { NarvlError } from '../errors.ts';
import type { Outcome, WorkerApi } from '../protocol.ts';
import { outcomeOf } from './outcome.ts';
import { Pipeline } from './pipeline.ts';

const queue = new PQueue({ concurrency: 1 });
const jobs = new Map<number, AbortController>();
let pipeline: Pipeline | undefined;

/** Runs a job of the open model's when it is its turn, unless it is aborted before. */
function asJob<T>(
  job: number,
  work: (model: Pipeline, signal: AbortSignal) => Promise<T>,
): Promise<Outcome<T>> {
  return outcomeOf(async () => {
    const controller = new AbortController();
    jobs.set(job, controller);
    const { signal } = controller;
    try {
      return await queue.add(
        () => {
          if (!pipeline) throw new NarvlError('worker-failed', 'No model is open');
          return work(pipeline, signal);
        },
        { signal },
      );
    } finally {
      jobs.delete(job);
    }
  });
}

const api: WorkerApi = {
  open: (request, onProgress) =>
    outcomeOf(() =>
      queue.add(async () => {
        pipeline = await Pipeline.open(request, onProgress);
        return pipeline.info;
      }),
    ),
  askImages: (job, request) => asJob(job, (model, signal) => model.askImages(request, signal)),
  look: (job, request) => asJob(job, (model, signal) => model.look(request, signal)),
  askLook: (job, request) => asJob(job, (model, signal) => model.askLook(request, signal)),
  // In its turn too: memory is freed by the runtime that the job before it may be using.
  forget: (look) => void queue.add(() => pipeline?.forget(look)),
  abort: (job) => jobs.get(job)?.abort(),
};

// A dedicated worker's only peer is the page that made it; there is no other origin to refuse.
Comlink.expose(api);
