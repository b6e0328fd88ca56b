/** attention.wgsl against reference/attention.ts: self and cross, padded memories, shared queries. */
import fc from 'fast-check';
import { test } from 'vitest';
import { AttentionKernel } from '../../src/gpu/attention.ts';
import { attention } from '../../src/reference/attention.ts';
import { expectClose } from '../../src/testing/close.ts';
import { randomNumbers, seededRandom } from '../../src/testing/random.ts';
import { type Bench, withDevice } from './device.ts';

interface Case {
  seed: number;
  /** Key rows of each image; its length is the batch. */
  lengths: number[];
  queries: number;
  /** Key rows that no image uses. */
  padding: number;
  heads: number;
  headWidth: number;
  sharedQueries: boolean;
  /** Whether the images' key rows take turns, as the steps of a cache do. */
  interleaved: boolean;
  lanes: number;
  queryRows: number;
}

/** Numbers of the query and key-value rows before and behind what attention reads. */
const before = 8;
const behind = 4;

async function check(bench: Bench, c: Case): Promise<void> {
  const { lengths, queries, heads, sharedQueries } = c;
  const random = seededRandom(c.seed);
  const batch = lengths.length;
  const width = heads * c.headWidth;
  const keys = Math.max(...lengths) + c.padding;
  const queryStride = width + behind;
  const keyStride = before + 2 * width + behind;
  const q = randomNumbers(random, (sharedQueries ? 1 : batch) * queries * queryStride, 2);
  const kv = randomNumbers(random, batch * keys * keyStride, 2);
  // Whatever lies beyond an image's length must not count, not even NaN.
  const imageStride = (c.interleaved ? 1 : keys) * keyStride;
  const stride = (c.interleaved ? batch : 1) * keyStride;
  lengths.forEach((length, image) => {
    for (let key = length; key < keys; key++) {
      const at = image * imageStride + key * stride;
      kv.fill(Number.NaN, at, at + keyStride);
    }
  });

  const wanted = lengths.flatMap((length, image) => [
    ...attention(
      {
        data: q,
        offset: sharedQueries ? 0 : image * queries * queryStride,
        stride: queryStride,
      },
      { data: kv, offset: image * imageStride + before, stride },
      { data: kv, offset: image * imageStride + before + width, stride },
      { queries, keys: length, heads, width },
    ),
  ]);

  const kernel = await AttentionKernel.compile(bench.device, {
    heads,
    width,
    maxKeys: keys,
    lanes: c.lanes,
    queryRows: c.queryRows,
  });
  const y = bench.output(batch * queries * width);
  const step = kernel.step(
    bench.buffers,
    {
      queries: bench.upload(q),
      memory: bench.upload(kv),
      lengths: bench.upload(Uint32Array.from(lengths)),
      y,
    },
    {
      batch,
      queries,
      sharedQueries,
      queryStride,
      keys,
      imageStride,
      keyStride: stride,
      keyOffset: before,
      valueOffset: before + width,
    },
  );
  expectClose(await bench.floats([step], y, wanted.length), wanted, 2e-5);
}

test('random shapes', () =>
  withDevice(async (bench) => {
    const cases = fc.record({
      seed: fc.nat(),
      lengths: fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 3 }),
      queries: fc.integer({ min: 1, max: 37 }),
      padding: fc.integer({ min: 0, max: 9 }),
      heads: fc.integer({ min: 1, max: 4 }),
      headWidth: fc.constantFrom(4, 12, 32),
      sharedQueries: fc.boolean(),
      interleaved: fc.boolean(),
      lanes: fc.constantFrom(8, 32, 64),
      queryRows: fc.constantFrom(1, 4, 32),
    });
    await fc.assert(
      fc.asyncProperty(cases, (c) => check(bench, c)),
      { seed: 1, numRuns: 12 },
    );
  }));

test('the paper’s memory of 900 rows', () =>
  withDevice((bench) =>
    check(bench, {
      seed: 2,
      lengths: [900, 613],
      queries: 6,
      padding: 0,
      heads: 2,
      headWidth: 64,
      sharedQueries: true,
      interleaved: false,
      lanes: 64,
      // More than fit workgroup memory: the kernel takes fewer.
      queryRows: 32,
    }),
  ));

test('scores so large that exp alone would overflow', () =>
  withDevice(async (bench) => {
    const kernel = await AttentionKernel.compile(bench.device, {
      heads: 1,
      width: 4,
      maxKeys: 2,
      lanes: 64,
      queryRows: 4,
    });
    const y = bench.output(4);
    const memory = Float32Array.of(90, 90, 90, 90, 1, 2, 3, 4, 80, 80, 80, 80, 5, 6, 7, 8);
    const step = kernel.step(
      bench.buffers,
      {
        queries: bench.upload(Float32Array.of(9, 9, 9, 9)),
        memory: bench.upload(memory),
        lengths: bench.upload(Uint32Array.of(2)),
        y,
      },
      {
        batch: 1,
        queries: 1,
        queryStride: 4,
        keys: 2,
        keyStride: 8,
        keyOffset: 0,
        valueOffset: 4,
      },
    );
    expectClose(await bench.floats([step], y, 4), [1, 2, 3, 4]);
  }));
