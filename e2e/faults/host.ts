/** The command's half in the browser. */
import { jpeg } from '../runtime/images.ts';
import { type FaultOptions, injectFaults, type Report } from './faults.ts';

declare global {
  var narvlFaults: (model: string, options: FaultOptions) => Promise<Report>;
}

globalThis.narvlFaults = async (model, options) => {
  const files = await Promise.all([1, 2, 3, 4, 5].map((seed) => jpeg(320, 240, seed)));
  return injectFaults(model, files, { ...options, log: console.log });
};
