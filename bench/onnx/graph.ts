/** Builds ONNX graphs, as far as the bench needs them. */
import protobuf from 'protobufjs';
import schema from './onnx.proto?raw';

/** Operators of onnxruntime's own. */
export const CONTRIB = 'com.microsoft';

/** Numbers as ONNX names their types. */
export const FLOAT = 1;
export const INT32 = 6;
export const INT64 = 7;
export const BOOL = 9;

const ATTRIBUTE = { float: 1, int: 2, graph: 5, ints: 7 } as const;
const model = protobuf.parse(schema, { keepCase: true }).root.lookupType('onnx.ModelProto');

/** A node's attribute; numbers are floats if they are wrapped so. */
export type Attribute =
  | number
  | readonly number[]
  | { readonly float: number }
  /** A graph in a graph, which may use any value that was there before it. */
  | { readonly graph: object };

/** Nodes and weights in the order in which they were added; names are values' names. */
export class Graph {
  #nodes: object[] = [];
  readonly #weights: object[] = [];
  #names = 0;

  /** A constant of f32 numbers, or of int64 ones. */
  constant(shape: readonly number[], data: Float32Array | BigInt64Array): string {
    const name = `w${this.#names++}`;
    this.#weights.push({
      name,
      dims: shape,
      data_type: data instanceof Float32Array ? FLOAT : INT64,
      raw_data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    });
    return name;
  }

  /** A node of so many outputs, of which some are not wanted. @returns their names */
  nodes(
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    { domain = '', outputs = 1, unwanted = [] as readonly number[] } = {},
  ): string[] {
    const output = Array.from({ length: outputs }, (_, i) =>
      unwanted.includes(i) ? '' : `v${this.#names++}`,
    );
    this.#nodes.push({
      name: `${operator} ${output[0]}`,
      op_type: operator,
      domain,
      input: inputs,
      output,
      attribute: Object.entries(attributes).map(([name, value]) => ({
        name,
        ...attributeOf(value),
      })),
    });
    return output;
  }

  /** A node of one output. */
  node(
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    domain = '',
  ): string {
    return this.nodes(operator, inputs, attributes, { domain })[0] as string;
  }

  /** Changes no number; runtimes need no dispatch for it. */
  reshape(x: string, shape: readonly number[]): string {
    return this.node('Reshape', [
      x,
      this.constant([shape.length], BigInt64Array.from(shape, BigInt)),
    ]);
  }

  /**
   * What one of two graphs computes, as a condition says at run time: the outputs that `then` names.
   *
   * @param then adds the nodes of one, and says which of its values are outputs
   * @param otherwise adds those of the other, with as many outputs of the same types
   */
  choose(
    condition: string,
    then: () => readonly Output[],
    otherwise: () => readonly Output[],
  ): Output[] {
    const outputs: Output[] = [];
    const branch = (build: () => readonly Output[]): Attribute => {
      const outside = this.#nodes;
      // Weights are the whole graph's all the same, so that branches share them.
      this.#nodes = [];
      const made = build();
      const inside = this.#nodes;
      this.#nodes = outside;
      outputs.push(...made);
      const output = made.map(({ value, type, shape }) => valueInfo({ name: value, type, shape }));
      return { graph: { name: `b${this.#names++}`, node: inside, output } };
    };
    const attribute = { then_branch: branch(then), else_branch: branch(otherwise) };
    const chosen = outputs.slice(0, outputs.length / 2);
    const values = this.nodes('If', [condition], attribute, { outputs: chosen.length });
    return chosen.map((output, i) => ({ ...output, value: values[i] as string }));
  }

  /** The model as a file. */
  encode(inputs: readonly Value[], outputs: readonly Output[]): Uint8Array {
    for (const { name, value } of outputs) {
      this.#nodes.push({ name, op_type: 'Identity', input: [value], output: [name] });
    }
    const message = model.create({
      ir_version: 9,
      graph: {
        name: 'bench',
        node: this.#nodes,
        initializer: this.#weights,
        input: inputs.map(valueInfo),
        output: outputs.map(valueInfo),
      },
      opset_import: [
        { domain: '', version: 20 },
        { domain: CONTRIB, version: 1 },
      ],
    });
    return model.encode(message).finish();
  }
}

/** An input or output; a size that has a name is known when it runs. */
export interface Value {
  readonly name: string;
  readonly type: number;
  readonly shape: readonly (number | string)[];
}

/** An output, and which of the graph's values it is. */
export interface Output extends Value {
  readonly value: string;
}

function valueInfo({ name, type, shape }: Value): object {
  const dim = shape.map((size) =>
    typeof size === 'number' ? { dim_value: size } : { dim_param: size },
  );
  return { name, type: { tensor_type: { elem_type: type, shape: { dim } } } };
}

function attributeOf(value: Attribute): object {
  if (typeof value === 'number') return { i: value, type: ATTRIBUTE.int };
  if ('float' in value) return { f: value.float, type: ATTRIBUTE.float };
  if ('graph' in value) return { g: value.graph, type: ATTRIBUTE.graph };
  return { ints: value, type: ATTRIBUTE.ints };
}
