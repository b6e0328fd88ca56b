// What a site's developer writes. The tests use the rest of the package by `window.host`.
import { Narvl } from 'narvl-web';
import 'narvl-web/widget';

// The fastest way on a machine without a GPU.
const device = { encoder: 'wasm', decoder: 'wasm' };
customElements.get('narvl-image').options = { device };

globalThis.host = {
  Narvl,
  /** The text of whatever holds a picture. */
  async caption(image, options = {}) {
    const narvl = await Narvl.load('models/narvl-photo/', { device, ...options });
    try {
      return (await narvl.caption(image)).text;
    } finally {
      narvl.dispose();
    }
  },
};
