/** How photos get in: chosen, alone or as a folder, dropped anywhere on the page, or pasted. */
import { fromEvent } from 'file-selector';
import { byId } from './dom.ts';
import type { Photo } from './photo.ts';

/** Who takes the photos of each choice, drop or paste, in their order. */
export interface Intake {
  onPhotos(photos: readonly Photo[]): void;
  /** A folder, of which only the pictures were taken. */
  onFolder(photos: readonly Photo[]): void;
}

export function setUpIntake({ onPhotos, onFolder }: Intake): void {
  const sheet = byId('sheet', HTMLElement);

  async function take(event: Event): Promise<void> {
    // To be asked while the event lasts; what is dropped without being files on a disk has no more than these.
    const plain = event instanceof DragEvent ? [...(event.dataTransfer?.files ?? [])] : [];
    const found = await fromEvent(event).catch(() => plain);
    const files = found.filter((item) => item instanceof File);
    // A path with a folder in it: `beach/dog.jpg`, where a file alone is `./dog.jpg`.
    const inFolder = files.some((file) => nameOf(file).includes('/'));
    const pictures = inFolder ? files.filter(({ type }) => type.startsWith('image/')) : files;
    const photos = pictures.map((file) => ({ name: nameOf(file), source: file }));
    if (inFolder) onFolder(photos);
    else if (photos.length > 0) onPhotos(photos);
  }

  for (const [button, field] of [
    ['choose', 'files'],
    ['choose-folder', 'folder-files'],
  ] as const) {
    const input = byId(field, HTMLInputElement);
    byId(button, HTMLButtonElement).addEventListener('click', () => input.click());
    input.addEventListener('change', async (event) => {
      await take(event);
      input.value = ''; // So that choosing the same photo again is a change too.
    });
  }

  document.addEventListener('paste', (event) => void take(event));

  document.addEventListener('dragover', (event) => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault(); // Else the browser would open the photo in place of the page.
    event.dataTransfer.dropEffect = 'copy';
    sheet.toggleAttribute('data-over', true);
  });
  document.addEventListener('dragleave', (event) => {
    // Crossing from one element to the next also leaves; only leaving the window has no next.
    if (event.relatedTarget === null) sheet.toggleAttribute('data-over', false);
  });
  document.addEventListener('drop', (event) => {
    sheet.toggleAttribute('data-over', false);
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    void take(event);
  });
}

/** The file's path in what was chosen or dropped, as far as there is one. */
function nameOf(file: File & { readonly relativePath?: string }): string {
  return (file.relativePath ?? file.name).replace(/^\.?\//, '');
}
