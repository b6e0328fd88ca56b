/** The one model of the extension, for all tabs; it goes when it has not been asked for a while. */
import { Narvl } from './lib/narvl.js';

const IDLE_MS = 60_000;

let model;
let asked = 0;
let idle;

/** The caption of the picture at an address; the extension may fetch any. */
async function caption(address) {
  clearTimeout(idle);
  asked++;
  try {
    model ??= Narvl.load(chrome.runtime.getURL('lib/models/narvl-photo/'));
    model.catch(() => {
      model = undefined; // The next one who asks tries again.
    });
    return await (await model).caption(address);
  } finally {
    asked--;
    if (asked === 0) idle = setTimeout(() => window.close(), IDLE_MS);
  }
}

chrome.runtime.onMessage.addListener((message, _sender, respond) => {
  if (message.to !== 'offscreen') return false;
  caption(message.address).then(
    (found) => respond({ caption: found }),
    (error) => respond({ error: error.message }),
  );
  return true;
});
