/** The shipped model with a phrase map of random weights, as long as it has none of its own. */
import protobuf from 'protobufjs/minimal';
import type { Manifest } from '../model/manifest.ts';
import { readOnnx } from '../model/onnx.ts';
import { randomMatrix, randomNumbers, seededRandom } from './random.ts';

const UNITS = 8;

/** Of TensorProto.DataType. */
const [FLOAT, INT64] = [1, 7];

/** The same manifest, whose locate task has a phrase map. */
export function withMappedTask(manifest: Manifest): Manifest {
  const tasks = Object.entries(manifest.tasks).map(([name, task]) => {
    if (task.kind !== 'locate') return [name, task] as const;
    const { map = { stride: 4, weight: 0.1 } } = task.bins;
    return [name, { ...task, bins: { ...task.bins, map } }] as const;
  });
  return { ...manifest, format: 4, tasks: Object.fromEntries(tasks) };
}

/**
 * fusion.onnx with the map's weights and output. A protobuf message that is written twice in one place is one of
 * both parts' fields, so that what is new of the graph stands behind the file.
 */
export function withPhraseMap(
  fusion: ArrayBuffer,
  { features, prompt, decoder: { width, vocabulary } }: Manifest,
): ArrayBuffer {
  const graph = readOnnx(fusion);
  if (graph.names.has('fusion.phrase_map.inside')) return fusion;
  const norm = graph.nodes.find(({ inputs }) => inputs[1]?.startsWith('fusion.image_norm.weight'));
  const [cells] = norm?.inputs ?? [];
  if (!cells) throw new Error('expected a layer norm of the cells');

  const random = seededRandom(5);
  const table = randomNumbers(random, vocabulary * UNITS);
  table.fill(0, prompt.pad * UNITS, (prompt.pad + 1) * UNITS);
  const writer = new protobuf.Writer();
  const model = writer.uint32(tag(7)).fork();
  const weight = (name: string, data: Float32Array | BigInt64Array, ...shape: number[]) => {
    model.uint32(tag(5)).fork();
    for (const size of shape) model.uint32(1 << 3).int64(size);
    model.uint32(2 << 3).int32(data instanceof Float32Array ? FLOAT : INT64);
    model.uint32(tag(8)).string(name);
    model.uint32(tag(9)).bytes(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    model.ldelim();
    return name;
  };
  const number = (name: string, value: number) => weight(`onnx::${name}`, Float32Array.of(value));
  let made = 0;
  const run = (operator: string, inputs: readonly string[], output = `mapped_${made++}`) => {
    model.uint32(tag(1)).fork();
    for (const input of inputs) model.uint32(tag(1)).string(input);
    model.uint32(tag(2)).string(output);
    model.uint32(tag(4)).string(operator);
    model.ldelim();
    return output;
  };

  const own = 'fusion.phrase_map';
  const inside = randomMatrix(random, width, UNITS).data;
  const [matrix, bias, rows, prior] = [
    weight(`${own}.inside`, inside, width, UNITS),
    weight(`${own}.bias`, randomNumbers(random, UNITS), UNITS),
    weight(`${own}.table`, table, vocabulary, UNITS),
    weight(`${own}.prior`, randomNumbers(random, features.rows), features.rows),
  ];
  const [gain, none] = [
    weight('onnx::gain', new Float32Array(width).fill(1), width),
    weight('onnx::none', new Float32Array(width), width),
  ];
  const normed = run('LayerNormalization', [cells, gain, none]); // Its epsilon is 1e-5, if not said.
  const x = run('Add', [run('MatMul', [normed, matrix]), bias]);
  const cubic = run('Mul', [run('Mul', [run('Mul', [x, x]), x]), number('cubic', 0.044715)]);
  const inner = run('Mul', [run('Add', [x, cubic]), number('inner', Math.sqrt(2 / Math.PI))]);
  const gate = run('Add', [run('Tanh', [inner]), number('one', 1)]);
  const units = run('Mul', [run('Mul', [x, gate]), number('half', 0.5)]);
  const axis = (at: number) => weight(`onnx::axis_${at}`, BigInt64Array.of(BigInt(at)), 1);
  const phrase = run('ReduceSum', [run('Gather', [rows, 'prompt']), axis(1)]);
  const said = run('ReduceSum', [run('Mul', [units, phrase]), axis(2)]);
  const flat = weight('onnx::flat', BigInt64Array.of(0n, -1n), 2);
  run('Add', [run('Reshape', [said, flat]), prior], 'places');

  model.uint32(tag(12)).fork().uint32(tag(1)).string('places');
  model
    .uint32(tag(2))
    .fork()
    .uint32(tag(1))
    .fork()
    .uint32(1 << 3)
    .int32(FLOAT);
  const more = model.ldelim().ldelim().ldelim().ldelim().finish();
  const whole = new Uint8Array(fusion.byteLength + more.length);
  whole.set(new Uint8Array(fusion));
  whole.set(more, fusion.byteLength);
  return whole.buffer;
}

/** Of a field that has a length. */
function tag(field: number): number {
  return (field << 3) | 2;
}
