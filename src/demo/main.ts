/** The demo page: puts the model, the ways in and the gallery together. */
import { byId } from './dom.ts';
import { Gallery } from './gallery.ts';
import { setUpIntake } from './intake.ts';
import { ModelHost } from './model-host.ts';
import { createModelStatus } from './model-status.ts';
import { setUpSamples } from './samples.ts';
import { setUpSettings } from './settings.ts';

const modelUrl = `${import.meta.env.BASE_URL}models/narvl-photo/`;

const host = new ModelHost(
  modelUrl,
  createModelStatus(() => void host.load(device)),
);
const gallery = new Gallery(host);

let device = setUpSettings(byId('settings', HTMLFormElement), (choice) => {
  device = choice;
  void host.load(choice);
});

setUpIntake((files) => gallery.add(files.map((file) => ({ name: file.name, source: file }))));
setUpSamples(({ title, url }) => gallery.add([{ name: title, source: url }]));

void host.load(device);
