/** The line at the foot of the sheet that says how far the model is, and lets a failed load be retried. */
import type { Caption, NarvlError, Progress } from '../index.ts';
import { announce } from './announcer.ts';
import { byId, make } from './dom.ts';
import { deviceNames, megabytes } from './format.ts';
import type { ModelView } from './model-host.ts';

/** The status line; `onRetry` is called by the button that a failure shows. */
export function createModelStatus(onRetry: () => void): ModelView {
  const root = byId('model', HTMLDivElement);
  const text = byId('model-text', HTMLParagraphElement);
  const bar = byId('model-progress', HTMLProgressElement);
  const why = byId('model-why', HTMLParagraphElement);
  const retry = byId('model-retry', HTMLButtonElement);
  retry.addEventListener('click', () => {
    byId('choose', HTMLButtonElement).focus(); // The button hides while the model is loaded.
    onRetry();
  });

  function show(state: 'loading' | 'ready' | 'failed', ...content: (Node | string)[]): void {
    root.dataset.state = state;
    text.replaceChildren(...content);
    retry.hidden = state !== 'failed';
    bar.hidden = state !== 'loading';
    why.hidden = state !== 'loading';
  }

  return {
    progress({ stage, loaded, total }: Progress): void {
      if (stage === 'download' && total > 0) {
        bar.value = loaded / total;
        show('loading', 'Loading the model ', make('b', {}, megabytes(loaded, total)));
      } else {
        // Without a value the bar says that something happens, not how much is left.
        bar.removeAttribute('value');
        show('loading', stage === 'download' ? 'Looking for the model' : 'Preparing the model');
      }
    },
    ready(device: Caption['device']): void {
      const { encoder, decoder } = deviceNames(device);
      show('ready', 'Ready. Encoder on ', encoder, ', decoder on ', decoder);
      announce('The model is ready');
    },
    failed(error: NarvlError): void {
      show('failed', make('code', {}, error.code), ' ', error.message);
      announce(`The model could not be loaded: ${error.message}`);
    },
  };
}
