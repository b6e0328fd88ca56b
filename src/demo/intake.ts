/** How photos get in: chosen, dropped anywhere on the page, or pasted. */
import { byId } from './dom.ts';

/** Call `onFiles` with the files of each choice, drop or paste, in their order. */
export function setUpIntake(onFiles: (files: readonly File[]) => void): void {
  const sheet = byId('sheet', HTMLElement);
  const input = byId('files', HTMLInputElement);
  const give = (files: FileList | undefined) => {
    if (files && files.length > 0) onFiles([...files]);
  };

  byId('choose', HTMLButtonElement).addEventListener('click', () => input.click());
  input.addEventListener('change', () => {
    give(input.files ?? undefined);
    input.value = ''; // So that choosing the same photo again is a change too.
  });

  document.addEventListener('paste', (event) => give(event.clipboardData?.files));

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
    give(event.dataTransfer.files);
  });
}
