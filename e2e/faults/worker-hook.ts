/**
 * Runs in a worker before the runtime does, and does to it what a message from the page says: see
 * `Fault`. It stands between the runtime and WebGPU, so that it can strike in the middle of a stage.
 */
import type { Fault } from './faults.ts';

const devices: GPUDevice[] = [];
/** What strikes at the next call of a stage. */
let armed: Fault | undefined;

/** Calls of that stage to let pass. */
let passes = 0;

/** What came for the runtime before its script was there. */
let held: unknown[] | undefined = [];

const struck = new BroadcastChannel('narvl-faults');

addEventListener('message', (event: MessageEvent<{ narvlFault?: Fault | 'none' } | undefined>) => {
  const fault = event.data?.narvlFault;
  if (!fault) {
    if (held) {
      held.push(event.data);
      event.stopImmediatePropagation();
    }
    return;
  }
  event.stopImmediatePropagation(); // The runtime is not told.
  armed = undefined;
  if (fault === 'none') return;
  if (fault.at === 'now') return strike(fault);
  armed = fault;
  passes = fault.passes;
});

function strike({ kind }: Fault): void {
  armed = undefined;
  struck.postMessage(kind);
  switch (kind) {
    case 'destroy':
      for (const device of devices) device.destroy();
      break;
    case 'throw':
      setTimeout(() => {
        throw new Error('a fault was injected');
      });
      break;
    case 'hang':
      for (;;);
    case 'kill':
      close();
  }
}

/** Has `armed` strike when the runtime has called `name` of `prototype`. */
function wrap(prototype: object | undefined, name: string, at: Fault['at']): void {
  if (!prototype) return;
  const inner = Reflect.get(prototype, name) as (...given: unknown[]) => unknown;
  Reflect.set(prototype, name, function (this: unknown, ...given: unknown[]) {
    const came = inner.apply(this, given);
    if (armed?.at === at && passes-- === 0) strike(armed);
    return came;
  });
}

wrap(globalThis.GPUQueue?.prototype, 'submit', 'submit');
wrap(globalThis.GPUBuffer?.prototype, 'mapAsync', 'map');
wrap(globalThis, 'fetch', 'fetch');

if (globalThis.GPUAdapter) {
  const request = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = async function (...given) {
    const device = await request.apply(this, given);
    devices.push(device);
    return device;
  };
}

const entry = new URL(location.href).searchParams.get('entry') ?? '';
import(/* @vite-ignore */ entry).then(() => {
  const waiting = held ?? [];
  held = undefined;
  for (const data of waiting) dispatchEvent(new MessageEvent('message', { data }));
});
