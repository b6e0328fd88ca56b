/** preprocess.wgsl against reference/preprocess.ts. */
import { expect, test, vi } from 'vitest';
import { bufferUse } from '../../src/gpu/buffers.ts';
import { GpuPreprocessor } from '../../src/gpu/preprocess.ts';
import { PATCH } from '../../src/model/vision.ts';
import { patches, preprocess } from '../../src/reference/preprocess.ts';
import { expectClose } from '../../src/testing/close.ts';
import { seededRandom } from '../../src/testing/random.ts';
import { withDevice } from './device.ts';

const transform = { size: 20, mean: [0.5, 0.4, 0.3], std: [0.2, 0.3, 0.4] } as const;

function randomImage(width: number, height: number, opaque: boolean) {
  const random = seededRandom(width * height);
  const data = Uint8ClampedArray.from({ length: width * height * 4 }, (_, i) =>
    opaque && i % 4 === 3 ? 255 : random() * 256,
  );
  return { data, width, height };
}

test('a batch of images that shrink, grow, stay and shine through', () =>
  withDevice(async (bench) => {
    const images = [
      randomImage(97, 61, true),
      randomImage(7, 190, true),
      randomImage(1, 1, true),
      randomImage(20, 20, false),
      randomImage(33, 20, false),
    ];
    const preprocessor = await GpuPreprocessor.create(bench.device, transform);
    const numbers = 3 * 20 * 20;
    const output = preprocessor.run(images);
    const got = await bench.floats([], output, images.length * numbers);
    images.forEach(({ data, width, height }, i) => {
      const wanted = preprocess(data, width, height, transform);
      expectClose(got.subarray(i * numbers, (i + 1) * numbers), wanted, 2e-5);
    });
    expect(preprocessor.run(images)).toBe(output);
    preprocessor.dispose();
  }));

test('the patches of a batch, of sides that are even and odd', () =>
  withDevice(async (bench) => {
    for (const size of [8, 9]) {
      const preprocessor = await GpuPreprocessor.create(
        bench.device,
        { ...transform, size },
        'patches',
      );
      const images = [randomImage(11, 7, false), randomImage(5, 9, true)];
      const step = preprocessor.begin(images);
      const out = Math.ceil(size / 2);
      const numbers = out * out * PATCH;
      const got = await bench.floats([step], preprocessor.output(2), 2 * numbers);
      images.forEach(({ data, width, height }, i) => {
        const planes = preprocess(data, width, height, { ...transform, size });
        expectClose(got.subarray(i * numbers, (i + 1) * numbers), patches(planes, size), 2e-5);
      });
      preprocessor.dispose();
    }
  }));

test('bytes that do not fit the size are refused before anything is queued', () =>
  withDevice(async (bench) => {
    const preprocessor = await GpuPreprocessor.create(bench.device, transform);
    const image = { data: new Uint8Array(15), width: 2, height: 2 };
    expect(() => preprocessor.run([image])).toThrow(/4 bytes for each of 2×2, got 15/);
    preprocessor.dispose();
  }));

test('no memory for an image is an error of its own, and nothing of it stays', () =>
  withDevice(async ({ device }) => {
    const before = bufferUse(device).buffers;
    const preprocessor = await GpuPreprocessor.create(device, transform);
    const uniforms = bufferUse(device).buffers - before;
    const [small, large] = [randomImage(8, 8, true), randomImage(90, 80, true)];
    await preprocessor.reserve([small]);
    const refused = new GPUOutOfMemoryError('there is none');
    for (const images of [[large], [large, large]]) {
      vi.spyOn(device, 'popErrorScope').mockResolvedValueOnce(refused);
      await expect(preprocessor.reserve(images)).rejects.toMatchObject({
        code: 'out-of-memory',
        message: expect.stringContaining('there is none'),
      });
    }
    vi.restoreAllMocks();
    // The scopes that the mock left open.
    for (const _ of '12') await device.popErrorScope();
    // The batch of one's; the image's was made room of.
    expect(bufferUse(device).buffers - before).toBe(uniforms + 1);
    await preprocessor.reserve([large, small]);
    const output = preprocessor.run([large, small]);
    expect(preprocessor.run([small, large])).toBe(output);
    preprocessor.dispose();
    expect(bufferUse(device).buffers).toBe(before);
  }));
