/** Which device each half runs on: chosen in the form, kept in the address so that it can be shared. */
import type { DecoderDevice, DeviceChoice, EncoderDevice } from '../index.ts';

const encoders: readonly EncoderDevice[] = ['webgpu', 'wasm'];
const decoders: readonly DecoderDevice[] = ['webgpu', 'wasm'];

/** The choice in `encoder` and `decoder`; what is missing or unknown is left to `auto`. */
export function readChoice(values: { get(name: string): unknown }): DeviceChoice {
  return {
    encoder: encoders.find((device) => device === values.get('encoder')),
    decoder: decoders.find((device) => device === values.get('decoder')),
  };
}

/** `params` with the choice written into it, and no word of what is left to `auto`. */
export function writeChoice(choice: DeviceChoice, params: URLSearchParams): URLSearchParams {
  const written = new URLSearchParams(params);
  for (const half of ['encoder', 'decoder'] as const) {
    const device = choice[half];
    if (device) written.set(half, device);
    else written.delete(half);
  }
  return written;
}

/** Show the address's choice in the form, and report each change after writing it back. */
export function setUpSettings(
  form: HTMLFormElement,
  onChange: (choice: DeviceChoice) => void,
): DeviceChoice {
  const initial = readChoice(new URLSearchParams(location.search));
  for (const input of form.querySelectorAll<HTMLInputElement>('input[type=radio]')) {
    const half = input.name === 'encoder' ? initial.encoder : initial.decoder;
    input.checked = input.value === (half ?? 'auto');
  }
  form.addEventListener('change', () => {
    const choice = readChoice(new FormData(form));
    const params = writeChoice(choice, new URLSearchParams(location.search));
    history.replaceState(null, '', params.size > 0 ? `?${params}` : location.pathname);
    onChange(choice);
  });
  return initial;
}
