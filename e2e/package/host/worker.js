// The same from a worker: the library starts its own from there.
import { Narvl } from 'narvl-web';

const narvl = await Narvl.load('models/narvl-photo/', {
  device: { encoder: 'wasm', decoder: 'wasm' },
});
const { text } = await narvl.caption('photo.jpg');
narvl.dispose();
postMessage(text);
