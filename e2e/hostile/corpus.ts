/**
 * Image files that nobody should have made: every format cut at twenty places, headers that lie, bombs,
 * metadata of the wrong kind and bytes changed at random, from a seed.
 */
import { seededRandom } from '../../src/testing/random.ts';
import { avif, blackPng, bmp, gif, ico, jpeg, picture } from '../runtime/images.ts';

/** A file and what was done to it. */
export interface Hostile {
  readonly name: string;
  readonly file: Blob;
}

const CUTS = 20;
const WIDTH = 96;
const HEIGHT = 72;

/** A whole file of every format that a browser writes or that is written here. */
async function wholeFiles(): Promise<[string, Uint8Array<ArrayBuffer>][]> {
  const canvas = picture(WIDTH, HEIGHT, 3);
  const clear = new OffscreenCanvas(WIDTH, HEIGHT);
  const context = clear.getContext('2d');
  context?.fillRect(10, 10, 30, 30);
  const frames = [3, 4, 5].map((seed) => picture(WIDTH, HEIGHT, seed));
  const files: [string, Blob][] = [
    ['jpeg', await jpeg(WIDTH, HEIGHT, 3)],
    ['png', await canvas.convertToBlob()],
    ['png with alpha', await clear.convertToBlob()],
    ['png of one bit', await blackPng(64)],
    ['webp', await canvas.convertToBlob({ type: 'image/webp', quality: 0.8 })],
    ['webp with alpha', await clear.convertToBlob({ type: 'image/webp', quality: 1 })],
    ['gif', gif([canvas])],
    ['gif of three frames', gif(frames)],
    ['avif', avif()],
    ['bmp', bmp(canvas)],
    ['ico', await ico(canvas)],
    [
      'svg',
      new Blob([
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h9v9z"/></svg>',
      ]),
    ],
  ];
  return Promise.all(
    files.map(async ([name, file]) => [name, new Uint8Array(await file.arrayBuffer())] as const),
  ) as Promise<[string, Uint8Array<ArrayBuffer>][]>;
}

/** A JPEG with a segment of metadata put behind its first marker. */
function withSegment(file: Uint8Array, marker: number, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const segment = new Uint8Array(4 + body.length);
  segment.set([0xff, marker, (body.length + 2) >> 8, (body.length + 2) & 255]);
  segment.set(body, 4);
  const joined = new Uint8Array(file.length + segment.length);
  joined.set(file.subarray(0, 2));
  joined.set(segment, 2);
  joined.set(file.subarray(2), 2 + segment.length);
  return joined;
}

/** TIFF's little-endian header with one entry: the orientation. */
function exif(orientation: number): Uint8Array {
  const head = [...new TextEncoder().encode('Exif\0\0II*\0'), 8, 0, 0, 0, 1, 0];
  return Uint8Array.from([...head, 0x12, 1, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0, 0, 0, 0, 0]);
}

/**
 * @param mutants files with bytes changed at random, of each format
 * @param bombs whether those are made that take a second and a gigabyte to decode
 */
export async function* hostileFiles(
  seed: number,
  { mutants = 20, bombs = false } = {},
): AsyncGenerator<Hostile> {
  const random = seededRandom(seed);
  const whole = await wholeFiles();
  const made = (name: string, bytes: Uint8Array<ArrayBuffer>, type = '') => ({
    name,
    file: new Blob([bytes], { type }),
  });
  for (const [name, bytes] of whole) {
    yield made(name, bytes);
    for (let cut = 0; cut < CUTS; cut++) {
      const length = Math.floor((bytes.length * cut) / CUTS + random() * 3);
      yield made(`${name}, ${length} of ${bytes.length} bytes`, bytes.slice(0, length));
    }
    yield made(`${name} that is called a GIF`, bytes, 'image/gif');
    yield made(`${name} behind a byte`, Uint8Array.from([0, ...bytes]));
    for (let i = 0; i < mutants; i++) {
      const changed = bytes.slice();
      // Near the start, where a file says how the rest is to be read, and anywhere.
      const within = i % 2 === 0 ? Math.min(64, bytes.length) : bytes.length;
      const count = 1 + Math.floor(random() * 4);
      for (let c = 0; c < count; c++) {
        changed[Math.floor(random() * within)] = Math.floor(random() * 256);
      }
      yield made(`${name}, mutant ${i} of seed ${seed}`, changed);
    }
  }
  const photo = whole[0]?.[1] ?? new Uint8Array();
  for (let orientation = 0; orientation <= 9; orientation++) {
    yield made(`jpeg of orientation ${orientation}`, withSegment(photo, 0xe1, exif(orientation)));
  }
  for (const marker of [0xe1, 0xe2, 0xed, 0xee, 0xfe]) {
    for (const length of [0, 14, 60_000]) {
      const body = Uint8Array.from({ length }, () => Math.floor(random() * 256));
      if (marker === 0xe2) body.set(new TextEncoder().encode('ICC_PROFILE\0').slice(0, length));
      // Adobe's says how colours are coded: inverted CMYK among others.
      if (marker === 0xee) body.set(new TextEncoder().encode('Adobe').slice(0, length));
      yield made(
        `jpeg with ${length} bytes of segment ${marker.toString(16)}`,
        withSegment(photo, marker, body),
      );
    }
  }
  const frame = photo.findIndex((byte, i) => byte === 0xff && photo[i + 1] === 0xc0);
  for (const [what, at, value] of [
    ['16 bits', 4, 16],
    ['12 bits', 4, 12],
    ['four components', 9, 4],
    ['no component', 9, 0],
  ] as const) {
    const changed = photo.slice();
    changed[frame + at] = value;
    yield made(`jpeg whose header says ${what}`, changed);
  }
  const png = whole[1]?.[1] ?? new Uint8Array();
  for (const [what, bytes] of [
    ['0 × 0', [0, 0, 0, 0, 0, 0, 0, 0]],
    ['2³¹ × 1', [0x80, 0, 0, 0, 0, 0, 0, 1]],
    ['65,535 × 65,535', [0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff]],
  ] as const) {
    const changed = png.slice();
    changed.set(bytes, 16);
    yield made(`png whose header says ${what}`, changed);
  }
  const bitmap = whole.find(([name]) => name === 'bmp')?.[1] ?? new Uint8Array();
  for (const [what, at, value] of [
    ['a height of 2³¹', 22, 0x80000000],
    ['a width below 0', 18, 0xffffff00],
    ['pixels beyond its end', 10, 0x7fffffff],
    ['a packing that there is not', 30, 99],
  ] as const) {
    const changed = bitmap.slice();
    new DataView(changed.buffer).setUint32(at, value, true);
    yield made(`bmp that says ${what}`, changed);
  }
  yield { name: 'bomb: png of 23,000 × 23,000', file: await blackPng(23_000) };
  if (bombs) yield { name: 'bomb: png of 10,900 × 10,900', file: await blackPng(10_900) };
  const entities = Array.from({ length: 12 }, (_, i) =>
    i === 0 ? '<!ENTITY a0 "ha">' : `<!ENTITY a${i} "${`&a${i - 1};`.repeat(10)}">`,
  );
  yield {
    name: 'bomb: svg of entities',
    file: new Blob([
      `<!DOCTYPE svg [${entities.join('')}]><svg xmlns="http://www.w3.org/2000/svg"><text>&a11;</text></svg>`,
    ]),
  };
  yield {
    name: 'svg with a script and a picture of elsewhere',
    file: new Blob([
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script>' +
        '<image href="https://example.test/x.png" width="9" height="9"/></svg>',
    ]),
  };
}
