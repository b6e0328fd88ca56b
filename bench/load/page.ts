/** The page that `npm run bench -- --load` visits: it loads the model, and captions a photo twice. */
import { type DeviceChoice, Narvl } from '../../src/index.ts';
import type { VisitTimes } from './summary.ts';

declare global {
  /** What this visit took, and where the network ran. */
  var narvlVisit: Promise<{ readonly times: VisitTimes; readonly where: string }>;
}

async function visit(device: DeviceChoice) {
  const photo = fetch('./samples/cat.jpg').then((response) => response.blob());
  const narvl = await Narvl.load('./models/narvl-photo/', { device });
  const first = await narvl.caption(await photo);
  const written = performance.now(); // Counted from the navigation.
  const later = await narvl.caption(await photo);
  const { encoder, decoder, adapter } = narvl.info.device;
  const times = {
    ...narvl.info.load,
    'first caption': first.timings.total,
    'later caption': later.timings.total,
    'address to words': written,
  };
  return { times, where: `encoder ${encoder}, decoder ${decoder}, ${adapter || 'no adapter'}` };
}

const params = new URLSearchParams(location.search);
globalThis.narvlVisit = visit({
  encoder: (params.get('encoder') ?? undefined) as DeviceChoice['encoder'],
  decoder: (params.get('decoder') ?? undefined) as DeviceChoice['decoder'],
});
