/** Runs the bench where the runtime runs: in a worker, that the page drives through Comlink. */
import { expose } from 'comlink';
import { requestGpu } from '../src/gpu/device.ts';
import { loadModelFiles } from '../src/model/files.ts';
import type { Report } from './report.ts';
import { run, type Wanted } from './run.ts';
import { shippedSize } from './shipped.ts';

/** What the page calls. */
export interface BenchWorker {
  /** @param model address of the shipped model's folder */
  run(model: string, wanted: Wanted, onProgress: (what: string) => void): Promise<Report>;
}

const api: BenchWorker = {
  async run(model, wanted, onProgress) {
    const { device, adapter, lost } = await requestGpu(navigator.gpu);
    const shipped = shippedSize(await loadModelFiles(model, () => {}));
    const { userAgent } = navigator;
    const place = { device, adapter, userAgent, browser: true, onProgress };
    const end = lost.then((error) => Promise.reject(error));
    return Promise.race([run(place, shipped, wanted), end]);
  },
};

expose(api);
