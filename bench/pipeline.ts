/** From an image's bytes to words: ours in one submit, and other runtimes with the same graphs. */
import { search, withNames } from '../src/decode/search.ts';
import { Encoder } from '../src/encoder/encoder.ts';
import { GpuPreprocessor } from '../src/gpu/preprocess.ts';
import { preprocess } from '../src/reference/preprocess.ts';
import { WasmDecoder } from '../src/wasm/decoder.ts';
import { AutoregressiveDecoder } from './autoregressive/decoder.ts';
import { counted, onnxOnGpu } from './contenders.ts';
import { type Bench, type Entrant, PIPELINE, section } from './experiments.ts';
import { anyImage, WholeNetwork } from './network.ts';
import { onnxDecoder } from './onnx/decoder.ts';
import type { Section } from './report.ts';
import type { Shipped } from './shipped.ts';
import {
  type TransformersFiles,
  transformersFiles,
  transformersInWasm,
  transformersOnGpu,
} from './transformers.ts';

const WORDS = 12;

/** What is made once, when it is first wanted: onnxruntime breaks if two sessions are made at once. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** @throws what keeps our own network from running; of the others each has its reason. */
export async function pipelineStage(bench: Bench, shipped: Shipped): Promise<Section> {
  const { device } = bench;
  const { shape, weights, captions, search: way, model } = shipped;
  const { manifest, files } = model;
  const image = anyImage();
  const whole = await WholeNetwork.create(device, shipped);
  const owned: { dispose?(): void; destroy?(): void }[] = [whole];
  const own = <T extends { dispose?(): void } | { destroy?(): void }>(made: T): T => {
    owned.push(made);
    return made;
  };
  const memory = own(
    device.createBuffer({
      size: 4 * shape.memory * shape.width,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
    }),
  );
  const greedy = once(async () => {
    const writing = { batch: 1, beams: 1, words: WORDS + 1 };
    return own(await AutoregressiveDecoder.create(device, shape, weights, writing));
  });

  /** vision.onnx and fusion.onnx behind our kernel for pixels, from bytes to a memory on the GPU. */
  const onGpu = once(async () => {
    const { 'vision.onnx': vision, 'fusion.onnx': fusion } = files;
    const encoder = await Encoder.create(manifest, vision, fusion, device);
    const pixels = own(await GpuPreprocessor.create(device, manifest.image));
    return async (into: GPUBuffer) => {
      const features = await encoder.look(pixels.run([image]), 1);
      await encoder.fuse(features, whole.prompt, into);
      features.dispose();
    };
  });
  /** The same in WebAssembly. */
  const inWasm = once(async () => {
    const { 'vision.onnx': vision, 'fusion.onnx': fusion } = files;
    const encoder = await Encoder.create(manifest, vision, fusion, 'wasm');
    return async () => {
      const pixels = preprocess(image.data, image.width, image.height, manifest.image);
      const features = await encoder.look(pixels, 1);
      const fused = await encoder.fuse(features, whole.prompt);
      features.dispose();
      return fused;
    };
  });
  let transformers: TransformersFiles | undefined;
  const inItsLayout = () => {
    transformers ??= transformersFiles(shipped);
    return transformers;
  };
  const elsewhere = (name: string, make: Entrant['make']): Entrant => ({
    name,
    make: (entrant) => {
      if (!bench.browser) throw new Error('onnxruntime-web wants a browser');
      return make(entrant);
    },
  });
  const memoryLengths = [whole.memoryLength];
  try {
    // What `fuse` reads of a prompt is written by a caption.
    await whole.caption([image]);
    return await section(
      bench,
      PIPELINE,
      `From the bytes of an image of ${image.width} × ${image.height} to token ids, one image.`,
      [
        {
          name: '(a) ours, one submit',
          make: (name) => counted(name, () => whole.caption([image])),
        },
        ...(way
          ? [
              {
                name: '(a) the same, searched by beam and n-grams',
                make: (name: string) =>
                  counted(name, async () => {
                    const result = await whole.caption([image], true);
                    for (const [i, { posteriors, tokens }] of result.decodings.entries()) {
                      const names = result.names[i] ?? [];
                      if (posteriors) search(posteriors, tokens, withNames(way, names));
                    }
                    return result;
                  }),
              },
            ]
          : []),
        {
          name: '(a) the same up to the memory, without the decoder',
          make: (name) => ({
            name,
            run: async () => {
              await whole.fuse(image, memory);
              await device.queue.onSubmittedWorkDone();
            },
          }),
        },
        {
          name: `(b) the same up to the memory, then greedy with a cache, ${WORDS} words`,
          make: async (name) => {
            const decoder = await greedy();
            return {
              name,
              run: async () => {
                await whole.fuse(image, decoder.memory);
                await decoder.decode(memoryLengths, WORDS + 1, 'end');
              },
            };
          },
        },
        elsewhere('(e) onnxruntime-web, WebGPU, up to the memory', async (name) => {
          const encode = await onGpu();
          return {
            name,
            run: async () => {
              await encode(memory);
              await device.queue.onSubmittedWorkDone();
            },
          };
        }),
        elsewhere('(e) the same, and the decoder', async (name) => {
          const encode = await onGpu();
          const graph = onnxDecoder(shape, weights, captions.count);
          const decoder = await onnxOnGpu(name, device, shipped, graph, false);
          return {
            ...decoder,
            run: async () => {
              await encode(decoder.memory);
              return decoder.run();
            },
          };
        }),
        elsewhere(
          `(f) onnxruntime-web's encoder and transformers.js, WebGPU, ${WORDS} words`,
          async (name) => {
            const encode = await onGpu();
            const writer = await transformersOnGpu(name, device, shipped, inItsLayout(), WORDS + 1);
            return {
              ...writer,
              run: async () => {
                await encode(writer.memory);
                return writer.run();
              },
            };
          },
        ),
        elsewhere('(f) the same, WebAssembly', async (name) => {
          const encode = await inWasm();
          const writer = await transformersInWasm(name, shipped, inItsLayout(), WORDS + 1);
          return {
            ...writer,
            run: async () => {
              writer.memory.set((await encode()).memory);
              return writer.run();
            },
          };
        }),
        elsewhere('(g) onnxruntime-web, WebAssembly: the fallback without WebGPU', async (name) => {
          if (!shipped.fallback) throw new Error('this model has no decoder.onnx');
          const encode = await inWasm();
          const { graph, weights } = shipped.fallback;
          const decoder = await WasmDecoder.create(shape, graph, weights);
          const request = { memoryLengths, queries: captions };
          const run = async () => {
            const { memory, evidence } = await encode();
            return decoder.decode(memory, request, evidence);
          };
          return { name, run };
        }),
      ],
    );
  } finally {
    for (const made of owned) {
      made.dispose?.();
      made.destroy?.();
    }
  }
}
