/**
 * The shipped model's files with something changed: each is read, or refused with a typed error, and
 * with the manifest that it came with it is always refused.
 *
 * `MUTANTS=4 npx vitest run --project unit src/model/mutants.test.ts` makes four times as many, about 12,000,
 * and `MUTANTS_SEED` others.
 */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { NarvlError } from '../errors.ts';
import { changes, mutant } from '../testing/mutants.ts';
import { loadModelFiles } from './files.ts';
import { parseManifest } from './manifest.ts';
import { readNetwork } from './network.ts';
import { NgramModel } from './ngrams.ts';
import { parseSafetensors } from './safetensors.ts';
import { Tokenizer } from './tokenizer.ts';

const folder = new URL('../../public/models/narvl-photo/', import.meta.url);
const shipped = (name: string) => new Uint8Array(readFileSync(new URL(name, folder)));
const manifest = parseManifest(new TextDecoder().decode(shipped('manifest.json')));
const { vocabulary } = manifest.decoder;

const runs = (few: number) => few * Number(process.env.MUTANTS ?? 1);
const seed = Number(process.env.MUTANTS_SEED ?? 23);

/** Bytes of a graph's operators, at most. */
const NODES = 1 << 15;

/** Reads what `list` makes of a file. Anything but a typed error fails the test. */
function readMutants(
  file: Uint8Array,
  few: number,
  within: number,
  read: (bytes: ArrayBuffer) => void,
) {
  fc.assert(
    fc.property(changes, (list) => {
      try {
        read(mutant(file, list, within).buffer);
      } catch (error) {
        expect(error).toBeInstanceOf(NarvlError);
        expect(error).toMatchObject({
          code: 'invalid-model',
          message: expect.stringMatching(/\w/),
        });
      }
    }),
    { seed, numRuns: runs(few) },
  );
}

describe('a changed file is read or refused', { timeout: 600_000 }, () => {
  it('manifest.json', () => {
    const file = shipped('manifest.json');
    readMutants(file, 1200, file.length, (bytes) => {
      parseManifest(new TextDecoder().decode(bytes));
    });
  });

  it('manifest.json with other values', () => {
    const json = new TextDecoder().decode(shipped('manifest.json'));
    const values = fc.oneof(
      fc.anything({ withNullPrototype: true }),
      fc.constantFrom(-1, 0, 0.5, 2 ** 31, 2 ** 53, 1e300, '', '../x', '__proto__', null, [], {}),
    );
    fc.assert(
      fc.property(fc.nat(), values, (place, value) => {
        // What `place` counts down to while the text is read has the other value.
        let left = place % 120;
        const changed = JSON.parse(json, (_, old) => (left-- === 0 ? value : old));
        try {
          parseManifest(JSON.stringify(changed) ?? '');
        } catch (error) {
          // What fast-check makes may not be JSON at all.
          if (error instanceof TypeError && /JSON|BigInt|circular/.test(error.message)) return;
          expect(error).toBeInstanceOf(NarvlError);
          expect(error).toMatchObject({ code: 'invalid-model' });
        }
      }),
      { seed, numRuns: runs(1200) },
    );
  });

  it('tokenizer.json', () => {
    readMutants(shipped('tokenizer.json'), 60, 1 << 30, (bytes) => {
      const tokenizer = new Tokenizer(bytes, vocabulary);
      expect(tokenizer.encode('how many dogs are there')).toBeInstanceOf(Array);
    });
  });

  it.each(['captions.ngrams.bin', 'answers.ngrams.bin'])('%s', (name) => {
    const file = shipped(name);
    readMutants(file, 40, 1 << 30, (bytes) => {
      const model = new NgramModel(bytes, vocabulary);
      expect(model.logProb([1, 5], 7)).toBeLessThanOrEqual(0);
    });
    // Its first bytes say how all others are read.
    readMutants(file, 200, 64, (bytes) => {
      const model = new NgramModel(bytes, vocabulary);
      expect(model.logProb([1, 5], 7)).toBeLessThanOrEqual(0);
    });
  });

  it.each(['vision.onnx', 'fusion.onnx'])('%s', (name) => {
    const file = shipped(name);
    const [vision, fusion] = ['vision.onnx', 'fusion.onnx'].map((one) => shipped(one).buffer);
    const read = (bytes: ArrayBuffer) => {
      if (!vision || !fusion) throw new Error('no graphs');
      const files =
        name === 'vision.onnx' ? ([bytes, fusion] as const) : ([vision, bytes] as const);
      readNetwork(manifest, ...files); // Which may be of a kind that is left to onnxruntime.
    };
    // The operators come first; between the weights lie their names, types and shapes.
    readMutants(file, 40, NODES, read);
    readMutants(file, 20, file.length, read);
  });

  it('decoder.safetensors', () => {
    const file = shipped('decoder.safetensors');
    const header = 8 + Number(new DataView(file.buffer).getBigUint64(0, true));
    // Reading all of it takes a tenth of a second; most changes of the header are found at once.
    readMutants(file, 30, header, (bytes) => {
      parseSafetensors(bytes);
    });
  });
});

describe('a file that is not the one of its manifest', { timeout: 600_000 }, () => {
  afterEach(() => vi.unstubAllGlobals());

  it('is found before it is used, whatever byte of whatever file it is', async () => {
    const names = Object.keys(manifest.files);
    const files = new Map(names.map((name) => [name, shipped(name)]));
    let broken = new Map(files);
    vi.stubGlobal('fetch', async (url: string) => {
      const name = url.slice(url.lastIndexOf('/') + 1);
      if (name === 'manifest.json') return new Response(shipped(name));
      return new Response(broken.get(name));
    });
    const flip = fc.record({
      name: fc.constantFrom(...names),
      at: fc.nat(),
      value: fc.integer({ min: 1, max: 255 }),
    });
    await fc.assert(
      fc.asyncProperty(flip, async ({ name, at, value }) => {
        const bytes = new Uint8Array(files.get(name) ?? []);
        const place = at % bytes.length;
        bytes[place] = (bytes[place] ?? 0) ^ value;
        broken = new Map(files).set(name, bytes);
        await expect(loadModelFiles('https://example.test/model/', () => {})).rejects.toMatchObject(
          {
            code: 'integrity',
            message: expect.stringContaining(name),
          },
        );
      }),
      { seed, numRuns: runs(8) },
    );
  });
});
