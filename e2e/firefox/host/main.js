/** Captions and answers of pictures by the package as a page has it without a bundler, on the fallback. */
import { Narvl } from './narvl/narvl.js';

/**
 * @typedef {object} Said
 * @property {string[]} texts a caption a picture, then answers about the first one
 * @property {string[]} refusals codes of the errors of what is no picture
 * @property {{ encoder: string, decoder: string }} device
 * @property {boolean} webgpu whether the browser has any
 */

/** The left or right part of a photo, of its own pixels: no browser scales it as another does not. */
async function partOf(url, i) {
  const photo = await createImageBitmap(await (await fetch(url)).blob());
  const [width, height] = [Math.ceil(photo.width * 0.6), Math.ceil(photo.height * 0.8)];
  const canvas = new OffscreenCanvas(width, height);
  const left = i % 2 === 0 ? 0 : photo.width - width;
  canvas.getContext('2d').drawImage(photo, -left, 0);
  return canvas.convertToBlob();
}

/**
 * @param {readonly string[]} photos
 * @param {number} count of pictures; parts of photos stand for those that there are too few of
 * @returns {Promise<Said>}
 */
globalThis.narvlSay = async (photos, count) => {
  // Where there is a WebGPU it is not what is compared.
  const device = { encoder: 'wasm', decoder: 'wasm' };
  const narvl = await Narvl.load('./narvl/models/narvl-photo/', navigator.gpu ? { device } : {});
  const texts = [];
  for (let i = 0; i < count; i++) {
    const url = photos[i % photos.length];
    const image = i < photos.length ? url : await partOf(url, i);
    texts.push((await narvl.caption(image)).text);
  }
  const look = await narvl.look(photos[0]);
  for (const question of ['what is this?', 'how many people are there?', 'is it outdoors?']) {
    texts.push((await look.answer(question)).text);
  }
  look.dispose();
  const refusals = [];
  for (const bytes of ['not a picture', '<!doctype html><p>404', new Uint8Array([0xff, 0xd8])]) {
    await narvl.caption(new Blob([bytes])).catch(({ code }) => refusals.push(code));
  }
  const said = { texts, refusals, device: narvl.info.device, webgpu: 'gpu' in navigator };
  narvl.dispose();
  return said;
};
