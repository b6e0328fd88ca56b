/**
 * Reads of an ONNX file what our own kernels need of it: its weights, and which operators they are for.
 *
 * So vision.onnx and fusion.onnx are weights for WebGPU and graphs for onnxruntime in one download. Weights
 * are stored small, as training/onnx_files.py does: `X` as `X.f16`, or as `X.i8` with `X.scale`.
 * (onnx/onnx.proto says which field has which number.)
 */
import protobuf from 'protobufjs/minimal';
import { NarvlError } from '../errors.ts';
import type { Weight } from './decoder.ts';
import { halfToNumber } from './half.ts';

/** An operator, as far as its attributes are whole numbers. */
export interface OnnxNode {
  readonly operator: string;
  readonly name: string;
  /** Names of values; empty for one that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, readonly number[]>;
}

/** A graph with its weights. */
export interface OnnxGraph {
  /** In an order in which they can run. */
  readonly nodes: readonly OnnxNode[];
  /** Names of the weights, without what says how they are stored. */
  readonly names: ReadonlySet<string>;
  /**
   * A weight in f32, whatever it was stored as; undefined if there is none of that name.
   * @throws NarvlError 'invalid-model' if its bytes are not what its shape promises.
   */
  weight(name: string): Weight | undefined;
}

/** Of TensorProto.DataType those that weights have here, with the bytes of a number. */
const types = {
  1: { bytes: 4, read: (b: ArrayBuffer) => new Float32Array(b) },
  3: { bytes: 1, read: (b: ArrayBuffer) => Float32Array.from(new Int8Array(b)) },
  6: { bytes: 4, read: (b: ArrayBuffer) => Float32Array.from(new Int32Array(b)) },
  10: { bytes: 2, read: (b: ArrayBuffer) => Float32Array.from(new Uint16Array(b), halfToNumber) },
} as const;

/** An initialiser as it is stored. */
interface Stored {
  readonly shape: readonly number[];
  readonly type: number;
  readonly raw: Uint8Array;
}

/** @throws NarvlError 'invalid-model', and nothing else, if the bytes are no such file. */
export function readOnnx(file: ArrayBuffer): OnnxGraph {
  const nodes: OnnxNode[] = [];
  const stored = new Map<string, Stored>();
  try {
    readFields(new Uint8Array(file), {
      7: (model) =>
        readFields(model.bytes(), {
          1: (graph) => nodes.push(readNode(graph.bytes())),
          5: (graph) => {
            const { name, ...tensor } = readTensor(graph.bytes());
            stored.set(name, tensor);
          },
        }),
    });
  } catch (cause) {
    throw new NarvlError('invalid-model', `ONNX: ${String(cause)}`, { cause });
  }
  const weightOf = (name: string): Weight | undefined => {
    const tensor = stored.get(name);
    return tensor && { shape: tensor.shape, data: numbersOf(name, tensor) };
  };
  return {
    nodes,
    names: new Set([...stored.keys()].map((name) => name.replace(/\.(f16|i8|scale)$/, ''))),
    weight(name) {
      const whole = weightOf(`${name}.i8`);
      if (!whole) return weightOf(`${name}.f16`) ?? weightOf(name);
      scale(name, whole, weightOf(`${name}.scale`));
      return whole;
    },
  };
}

/** Multiplies a weight by its scales, in place: one for each index along one axis. */
function scale(name: string, { shape, data }: Weight, scales: Weight | undefined): void {
  const axis = scales?.shape.findIndex((size) => size > 1) ?? -1;
  const count = scales?.data.length ?? 0;
  if (!scales || count !== shape[axis]) {
    const got = scales ? `[${scales.shape}]` : 'nothing';
    throw new NarvlError(
      'invalid-model',
      `ONNX: ${name}.scale: expected one for each index along an axis of [${shape}], got ${got}`,
    );
  }
  const inner = shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  for (let start = 0, index = 0; start < data.length; start += inner, index++) {
    const factor = scales.data[index % count] ?? 0;
    for (let i = start; i < start + inner; i++) data[i] = (data[i] ?? 0) * factor;
  }
}

function numbersOf(name: string, { shape, type, raw }: Stored): Float32Array {
  const known = type in types ? types[type as keyof typeof types] : undefined;
  if (!known) {
    const expected = Object.keys(types).join(', ');
    throw new NarvlError(
      'invalid-model',
      `ONNX: ${name}: expected a type of ${expected}, got ${type}`,
    );
  }
  const bytes = shape.reduce((product, size) => product * size, known.bytes);
  if (raw.length !== bytes) {
    throw new NarvlError(
      'invalid-model',
      `ONNX: ${name}: expected ${bytes} bytes for [${shape}], got ${raw.length}`,
    );
  }
  return known.read(raw.slice().buffer); // A copy, since numbers lie at multiples of their size.
}

type Reader = protobuf.Reader;

/** Hands each field of a message to who reads its number, and skips the others. */
function readFields(
  bytes: Uint8Array,
  on: Readonly<Record<number, (reader: Reader, packed: boolean) => void>>,
): void {
  const reader = protobuf.Reader.create(bytes);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    const read = on[tag >>> 3];
    if (read) read(reader, (tag & 7) === 2);
    else reader.skipType(tag & 7);
  }
}

/** Whole numbers of a repeated field, which come one by one or packed. */
function readIntegers(reader: Reader, packed: boolean, into: number[]): void {
  if (!packed) {
    into.push(reader.int32());
    return;
  }
  const end = reader.uint32() + reader.pos;
  while (reader.pos < end) into.push(reader.int32());
}

function readTensor(bytes: Uint8Array): Stored & { readonly name: string } {
  const shape: number[] = [];
  let type = 0;
  let name = '';
  let raw = new Uint8Array();
  readFields(bytes, {
    1: (reader, packed) => readIntegers(reader, packed, shape),
    2: (reader) => {
      type = reader.int32();
    },
    8: (reader) => {
      name = reader.string();
    },
    9: (reader) => {
      raw = new Uint8Array(reader.bytes());
    },
  });
  return { name, shape, type, raw };
}

function readNode(bytes: Uint8Array): OnnxNode {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, number[]>();
  let name = '';
  let operator = '';
  readFields(bytes, {
    1: (reader) => inputs.push(reader.string()),
    2: (reader) => outputs.push(reader.string()),
    3: (reader) => {
      name = reader.string();
    },
    4: (reader) => {
      operator = reader.string();
    },
    5: (reader) => {
      const values: number[] = [];
      let key = '';
      readFields(reader.bytes(), {
        1: (attribute) => {
          key = attribute.string();
        },
        3: (attribute) => values.push(attribute.int32()),
        8: (attribute, packed) => readIntegers(attribute, packed, values),
      });
      attributes.set(key, values);
    },
  });
  return { operator, name, inputs, outputs, attributes };
}
