/**
 * The decoder in onnxruntime's WebAssembly, for browsers without WebGPU: decoder.onnx gives the
 * logits of all slots, and the reference reads them.
 *
 * The graph holds no weights. It says at which bytes of decoder.safetensors they lie, which is what
 * the kernels' weights are read from too.
 */
import type { InferenceSession } from 'onnxruntime-web';
import { type OnnxRuntime, onnxRuntime } from '../encoder/runtime.ts';
import { NarvlError } from '../errors.ts';
import { checkEvidence, checkMemory, checkRequest } from '../model/checks.ts';
import type { DecodeRequest, DecoderShape, Decoding } from '../model/decoder.ts';
import { during } from '../model/load-stages.ts';
import { readLogits } from '../reference/logits.ts';

/** Like any session of the runtime, no two of its calls may overlap, nor its creation another's. */
export class WasmDecoder {
  private constructor(
    readonly shape: DecoderShape,
    private readonly ort: OnnxRuntime,
    private readonly session: InferenceSession,
  ) {}

  /**
   * @param graph decoder.onnx
   * @param weights decoder.safetensors
   * @throws NarvlError 'invalid-model' if the runtime cannot run them.
   */
  static async create(
    shape: DecoderShape,
    graph: ArrayBuffer,
    weights: ArrayBuffer,
  ): Promise<WasmDecoder> {
    const ort = await onnxRuntime();
    const session = await runnable(() =>
      during('compile', () =>
        ort.InferenceSession.create(new Uint8Array(graph), {
          executionProviders: ['wasm'],
          externalData: [{ path: 'decoder.safetensors', data: new Uint8Array(weights) }],
        }),
      ),
    );
    return new WasmDecoder(shape, ort, session);
  }

  /**
   * One pass over a batch.
   *
   * @param memory [batch, T, d]; rows from an image's memory length on are not looked at
   * @param evidence [batch, V], of shapes that have it; none for any word if it is left out
   * @returns one decoding an image
   * @throws NarvlError 'invalid-argument' if the request or the memory do not fit the shape.
   * @throws NarvlError 'invalid-model' if the graph does not fit the shape, or what it gives is not
   * all finite.
   */
  async decode(
    memory: Float32Array,
    request: DecodeRequest,
    evidence?: Float32Array,
  ): Promise<Decoding[]> {
    checkRequest(this.shape, request);
    checkMemory(this.shape, request, memory);
    checkEvidence(this.shape, request, evidence);
    const { Tensor } = this.ort;
    const { memoryLengths, queries, attention } = request;
    const { memory: rows, width, vocabulary } = this.shape;
    const batch = memoryLengths.length;
    const heard = this.shape.evidence && (evidence ?? new Float32Array(batch * vocabulary));
    const slots = Int32Array.from({ length: queries.count }, (_, i) => queries.first + i);
    const outputs = await runnable(() =>
      this.session.run(
        {
          memory: new Tensor('float32', memory, [batch, rows, width]),
          lengths: new Tensor('int32', Int32Array.from(memoryLengths), [batch]),
          slots: new Tensor('int32', slots, [slots.length]),
          ...(heard ? { evidence: new Tensor('float32', heard, [batch, vocabulary]) } : {}),
        },
        attention ? ['logits', 'attention'] : ['logits'],
      ),
    );
    const numbers = (name: string, each: number) => {
      const data = outputs[name]?.data;
      if (data instanceof Float32Array && data.length === batch * slots.length * each) return data;
      throw new NarvlError(
        'invalid-model',
        `decoder.onnx: expected output "${name}" [${batch}, ${slots.length}, ${each}]`,
      );
    };
    const logits = numbers('logits', vocabulary);
    const maps = attention ? numbers('attention', rows) : undefined;
    return memoryLengths.map((_, image) => {
      const of = (all: Float32Array) => {
        const each = all.length / batch;
        return all.subarray(image * each, (image + 1) * each);
      };
      return readLogits(this.shape, { logits: of(logits), map: maps && of(maps) }, request);
    });
  }
}

/** @throws NarvlError 'invalid-model' for whatever the runtime throws. */
async function runnable<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new NarvlError('invalid-model', `decoder.onnx cannot be run: ${reason}`, { cause });
  }
}
