/** In every page: pictures without an alternative text get one, as they come. */

/** Pixels; what is smaller is an icon, or counts visitors. */
const SMALLEST = 64;

/** Milliseconds; pages load in bursts. */
const GATHER = 500;

/** The pictures that had their turn, by address: who was not sure of one is not asked again. */
const seen = new WeakMap();

/** The model, as `describeImages` asks for it: in the extension's own page, by address. */
const captioner = {
  async caption(image) {
    const address = await publicAddress(
      image instanceof HTMLImageElement ? image.currentSrc : image,
    );
    const { caption, error } = await chrome.runtime.sendMessage({ to: 'background', address });
    if (error) throw new Error(error);
    return caption;
  },
};

/** What is at a `blob:` address is there for this page alone. */
async function publicAddress(address) {
  if (!address.startsWith('blob:')) return address;
  const blob = await (await fetch(address)).blob();
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}

function isWanted(image) {
  const { complete, width, height, currentSrc } = image;
  return complete && Math.min(width, height) >= SMALLEST && seen.get(image) !== currentSrc;
}

let planned;
let busy = false;

/** Look over the page once it has settled. */
function plan() {
  clearTimeout(planned);
  planned = setTimeout(fillIn, GATHER);
}

async function fillIn() {
  if (busy) return plan();
  busy = true;
  try {
    const { describeImages } = await import(chrome.runtime.getURL('lib/narvl-image.js'));
    await describeImages(document, {
      model: captioner,
      mode: 'fill',
      threshold: 0.35, // Below that it is a guess.
      filter: isWanted,
      onProgress: ({ last }) => last && seen.set(last.image, last.image.currentSrc),
    });
  } finally {
    busy = false;
  }
}

document.addEventListener('load', plan, true); // Also of pictures that load when they come into sight.
new MutationObserver(plan).observe(document, {
  subtree: true,
  childList: true,
  attributeFilter: ['src', 'srcset', 'alt'],
});
plan();
