/** The demo page: puts the model, the ways in, the gallery and the folder's table together. */
import { byId } from './dom.ts';
import { Folder } from './folder/folder.ts';
import { Gallery } from './gallery.ts';
import { setUpIntake } from './intake.ts';
import { setUpLive } from './live.ts';
import { ModelHost } from './model-host.ts';
import { createModelStatus } from './model-status.ts';
import { keepForOffline } from './offline/offline.ts';
import type { Photo } from './photo.ts';
import { setUpRace } from './race.ts';
import { setUpSamples } from './samples.ts';
import { setUpSettings } from './settings.ts';
import { hasWebGpu } from './webgpu.ts';

const modelUrl = `${import.meta.env.BASE_URL}models/narvl-photo/`;

/** More photos at once are a table: nobody looks at so many cards. */
const MOST_CARDS = 12;

/** Other texts of a photo in the table, for where the model only guesses. */
const ALTERNATIVES = 2;

const host = new ModelHost(
  modelUrl,
  createModelStatus(() => void load()),
);
const gallery = new Gallery(host);
const folder = new Folder((photo, signal) =>
  host.caption(photo, { signal, priority: 'low', alternatives: ALTERNATIVES }),
);

let device = setUpSettings(byId('settings', HTMLFormElement), (choice) => {
  device = choice;
  void load();
});

async function load(): Promise<void> {
  const used = await host.load(device);
  if (used) await keepForOffline(used);
}

const raceWith = setUpRace(modelUrl);
function addCards(photos: readonly Photo[]): void {
  gallery.add(photos);
  if (photos[0]) raceWith(photos[0]);
}

setUpIntake({
  onPhotos: (photos) => {
    if (photos.length > MOST_CARDS) folder.add(photos);
    else addCards(photos);
  },
  onFolder: (photos) => folder.add(photos),
});
setUpSamples(({ title, url }) => addCards([{ name: title, source: url }]));
setUpLive(host);

void load();
void hasWebGpu().then((has) => {
  byId('no-webgpu', HTMLParagraphElement).hidden = has;
});
