/** From an image's pixels to words: what the encoder leaves of a decoder's lead. */
import { Encoder } from '../src/encoder/encoder.ts';
import { GpuDecoder } from '../src/gpu/decoder.ts';
import { randomNumbers, seededRandom } from '../src/testing/random.ts';
import { AutoregressiveDecoder } from './autoregressive/decoder.ts';
import { fullLengths } from './contenders.ts';
import { type Bench, section } from './experiments.ts';
import type { Section } from './report.ts';
import type { Shipped } from './shipped.ts';
import { transformersFiles, transformersOnGpu } from './transformers.ts';

const WORDS = 12;

/** @param software whether the encoder goes to WebAssembly, as the runtime sends it there */
export async function pipelineStage(
  bench: Bench,
  shipped: Shipped,
  software: boolean,
): Promise<Section> {
  const { device } = bench;
  const { shape, weights } = shipped;
  const { manifest, files } = shipped.model;
  const encoder = await Encoder.create(
    manifest,
    files['vision.onnx'],
    files['fusion.onnx'],
    software ? 'wasm' : device,
  );
  const narvl = await GpuDecoder.create(device, shape, weights);
  const writing = { batch: 1, beams: 1, words: WORDS + 1 };
  const greedy = await AutoregressiveDecoder.create(device, shape, weights, writing);
  const { size } = manifest.image;
  const numbers = randomNumbers(seededRandom(3), 3 * size * size);
  const onGpu = device.createBuffer({
    size: numbers.byteLength,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
  });
  device.queue.writeBuffer(onGpu, 0, numbers.buffer);
  const prompt = new Int32Array(manifest.prompt.length).fill(manifest.prompt.pad);
  const encode = async (into: GPUBuffer): Promise<void> => {
    const features = await encoder.look(software ? numbers : onGpu, 1);
    if (software) {
      const { memory } = await encoder.fuse(features, prompt);
      device.queue.writeBuffer(into, 0, new Float32Array(memory));
    } else {
      await encoder.fuse(features, prompt, into);
    }
    features.dispose();
  };
  const queries = shipped.captions;
  const memoryLengths = fullLengths(shipped, 1);
  const contender = (name: string, run: () => Promise<unknown>) => ({
    name,
    make: () => ({ name, run }),
  });
  try {
    return await section(
      bench,
      'Whole pipeline',
      `From pixels to token ids, one image; the encoder on ${software ? 'WebAssembly' : 'WebGPU'}.`,
      [
        contender('(a) encoder and one pass', async () => {
          await encode(narvl.memoryBuffer(1));
          await narvl.decode({ memoryLengths, queries });
        }),
        contender(`(b) encoder and greedy search, ${WORDS} words`, async () => {
          await encode(greedy.memory);
          await greedy.decode(memoryLengths, WORDS + 1, 'end');
        }),
        {
          name: `(f) encoder and transformers.js on WebGPU, ${WORDS} words`,
          make: async (name) => {
            const files = transformersFiles(shipped);
            const writer = await transformersOnGpu(name, device, shipped, files, WORDS + 1);
            return {
              ...writer,
              run: async () => {
                await encode(writer.memory);
                await writer.run();
              },
            };
          },
        },
        contender('the encoder alone', async () => {
          await encode(narvl.memoryBuffer(1));
          await device.queue.onSubmittedWorkDone();
        }),
      ],
    );
  } finally {
    narvl.dispose();
    greedy.dispose();
    onGpu.destroy();
  }
}
