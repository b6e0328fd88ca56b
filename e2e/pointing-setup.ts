/** Before the runtime's tests: what they load beside the shipped model is on disk. */
import { writePointingModels } from './pointing-model.ts';

export function setup(): void {
  writePointingModels();
}
