/** Importing the widget defines `<narvl-image>`; `describeImages` does a whole page at a time. */
import { describeImages } from './narvl/narvl-image.js';

const gallery = document.getElementById('gallery');
const button = document.getElementById('describe');

button.addEventListener('click', async () => {
  button.disabled = true;
  await describeImages(gallery, {
    model: 'narvl/models/narvl-photo/',
    onProgress: ({ done, total }) => {
      button.textContent = `${done} of ${total} described`;
    },
  });
});

// The page hears of every text before it is written, whoever wrote it.
document.addEventListener('narvl-apply', ({ detail: { text, by, image } }) => {
  console.log(`${image.getAttribute('src')}: "${text}", by a ${by}`);
});
