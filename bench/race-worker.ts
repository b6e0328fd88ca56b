/** The race, in a worker of its own, that the page drives through Comlink. */
import { expose } from 'comlink';
import type { Outcome } from '../src/protocol.ts';
import { outcomeOf } from '../src/worker/outcome.ts';
import { Race, type RaceResult } from './race.ts';

/** What the page calls; errors come back as data. After one the page takes another worker. */
export interface RaceWorker {
  /** @param model address of the shipped model's folder */
  run(
    model: string,
    photo: Blob,
    onBytes: (loaded: number, total: number) => void,
  ): Promise<Outcome<RaceResult>>;
}

let race: Promise<Race> | undefined;

const api: RaceWorker = {
  run: (model, photo, onBytes) =>
    outcomeOf(async () => {
      race ??= Race.open(model, onBytes);
      return (await race).run(photo);
    }),
};

expose(api);
