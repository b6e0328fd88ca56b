/**
 * The worker: one model, one queue.
 *
 * onnxruntime blocks for good when two of its calls overlap, so everything that touches it or the
 * GPU waits its turn here.
 */
import * as Comlink from 'comlink';
import PQueue from 'p-queue';
import { NarvlError } from '../errors.ts';
import type { WorkerApi } from '../protocol.ts';
import { outcomeOf } from './outcome.ts';
import { Pipeline } from './pipeline.ts';

const queue = new PQueue({ concurrency: 1 });
const jobs = new Map<number, AbortController>();
let pipeline: Pipeline | undefined;

const api: WorkerApi = {
  open: (request, onProgress) =>
    outcomeOf(() =>
      queue.add(async () => {
        pipeline = await Pipeline.open(request, onProgress);
        return pipeline.info;
      }),
    ),

  caption: (job, request) =>
    outcomeOf(async () => {
      const controller = new AbortController();
      jobs.set(job, controller);
      const { signal } = controller;
      try {
        return await queue.add(
          () => {
            if (!pipeline) throw new NarvlError('worker-failed', 'No model is open');
            return pipeline.caption(request, signal);
          },
          { signal },
        );
      } finally {
        jobs.delete(job);
      }
    }),

  abort: (job) => jobs.get(job)?.abort(),
};

// A dedicated worker's only peer is the page that made it; there is no other origin to refuse.
Comlink.expose(api);
