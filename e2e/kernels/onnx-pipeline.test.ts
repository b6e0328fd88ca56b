/** The bench's ways from pixels to words with the shipped model: every contender runs where a browser is. */
import { expect, test } from 'vitest';
import { pipelineStage } from '../../bench/pipeline.ts';
import { shippedSize } from '../../bench/shipped.ts';
import { requestGpu } from '../../src/gpu/device.ts';
import { loadModelFiles } from '../../src/model/files.ts';

test('every contender from pixels to words runs', async () => {
  const { device } = await requestGpu(navigator.gpu);
  const url = new URL('/models/narvl-photo/', location.href).href;
  const shipped = shippedSize(await loadModelFiles(url, () => {}));
  const onProgress = () => {};
  // Each is run once when it is made; a round more would take minutes on a software adapter.
  const bench = { device, browser: true, rounds: 0, onProgress };
  const { timed, failed } = await pipelineStage(bench, shipped);
  expect(failed).toEqual([]);
  expect(timed.map(({ name }) => name.slice(0, 3)).join('')).toBe('(a)(a)(a)(b)(e)(e)(f)(f)(g)');
  const [one, searched] = timed;
  expect(one?.cost).toMatchObject({ submits: 1 });
  expect(searched?.cost?.dispatches).toBe(one?.cost?.dispatches);
  device.destroy();
});
