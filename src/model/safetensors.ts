/**
 * Reads a safetensors file: 8 bytes of header length, a JSON header, then the tensors' bytes.
 *
 * Nothing in the file is trusted: whatever the bytes are, the result is weights or one
 * 'invalid-model' error that says what was expected and what came.
 */
import { NarvlError } from '../errors.ts';
import type { Weight } from './decoder.ts';
import { halfToNumber } from './half.ts';

/** Bytes of the little-endian header length that a file starts with. */
const lengthBytes = 8;

/** The most bytes of header that are read, as in the reference implementation. */
const maxHeaderBytes = 100_000_000;

/** The types that are read, with the bytes of one number. */
const dtypeBytes = { F32: 4, F16: 2, I8: 1 } as const;

/** An I8 matrix `X` [in, out] comes with `X.scale` [out]: a weight is its integer times that. */
const scaleSuffix = '.scale';

type Dtype = keyof typeof dtypeBytes;

/** A header entry that has passed every check; `begin` and `end` count from the header's end. */
interface Tensor {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/**
 * All tensors of a file by name, in f32 whatever they were stored as, in the order of their bytes.
 * The scales of I8 tensors are worked in and not listed. They are copies: the file's buffer can go.
 *
 * @throws NarvlError 'invalid-model', and nothing else, if the bytes are no such file.
 */
export function parseSafetensors(file: ArrayBuffer): Map<string, Weight> {
  const reader = new SafetensorsReader(file.byteLength);
  const weights = new Map(reader.push(new Uint8Array(file)));
  reader.end();
  return weights;
}

/** Reads a file whose bytes come in pieces, as `parseSafetensors` reads a whole one. */
export class SafetensorsReader {
  readonly #fileBytes: number;
  /** Asks for so many bytes at a time, until it has read the file. */
  readonly #reading: Generator<number, void, ArrayBuffer>;
  /** The bytes that were asked for, undefined if no more are; the first `#filled` are there. */
  #part: Uint8Array<ArrayBuffer> | undefined;
  #filled = 0;
  /** Whole weights that `push` has still to give. */
  #complete: [string, Weight][] = [];

  constructor(fileBytes: number) {
    this.#fileBytes = fileBytes;
    this.#reading = this.#read();
    this.#ask(this.#reading.next());
  }

  /**
   * The weights that a piece completes, by name.
   * @throws NarvlError 'invalid-model' that says what is wrong with the bytes so far.
   */
  push(piece: Uint8Array): [string, Weight][] {
    let rest = piece;
    while (this.#part) {
      const taken = rest.subarray(0, this.#part.length - this.#filled);
      this.#part.set(taken, this.#filled);
      this.#filled += taken.length;
      rest = rest.subarray(taken.length);
      if (this.#filled < this.#part.length) break;
      this.#ask(this.#reading.next(this.#part.buffer));
    }
    if (rest.length > 0) throw invalid(`expected ${this.#fileBytes} bytes, got more`);
    return this.#complete.splice(0);
  }

  /** @throws NarvlError 'invalid-model' if bytes are missing. */
  end(): void {
    if (this.#part) throw invalid(`expected ${this.#fileBytes} bytes, got fewer`);
  }

  #ask({ value, done }: IteratorResult<number, void>): void {
    this.#part = done ? undefined : new Uint8Array(value);
    this.#filled = 0;
  }

  *#read(): Generator<number, void, ArrayBuffer> {
    if (this.#fileBytes < lengthBytes) {
      throw invalid(`expected at least ${lengthBytes} bytes, got ${this.#fileBytes}`);
    }
    const headerBytes = readLength(yield lengthBytes, this.#fileBytes);
    const header = readHeader(yield headerBytes);
    const tensors = checkHeader(header, this.#fileBytes - lengthBytes - headerBytes);
    const stored = new Map<string, Float32Array>();
    for (const tensor of tensors.values()) {
      const { name, dtype, begin, end } = tensor;
      stored.set(name, readers[dtype](yield end - begin));
      // An I8 matrix is whole once its scale is there too, whichever comes last.
      const of = isScale(name) ? tensors.get(partnerOf(name)) : tensor;
      const weight = of && wholeWeight(of, tensors, stored);
      if (weight) this.#complete.push([of.name, weight]);
    }
  }
}

/** A tensor's weight, if everything that it needs is there. What it used is forgotten. */
function wholeWeight(
  tensor: Tensor,
  tensors: ReadonlyMap<string, Tensor>,
  stored: Map<string, Float32Array>,
): Weight | undefined {
  const { name, shape } = tensor;
  const data = stored.get(name);
  if (!data) return undefined;
  if (tensor.dtype === 'I8') {
    const scale = findScale(tensor, tensors);
    const scales = stored.get(scale.name);
    if (!scales) return undefined;
    scaleColumns(scale.name, data, scales);
    stored.delete(scale.name);
  }
  stored.delete(name);
  return { shape, data };
}

function isScale(name: string): boolean {
  return name.endsWith(scaleSuffix);
}

/** The name of the matrix that a scale belongs to. */
function partnerOf(scale: string): string {
  return scale.slice(0, -scaleSuffix.length);
}

function checkPartner(name: string, tensors: ReadonlyMap<string, Tensor>): void {
  const scaled = partnerOf(name);
  const dtype = tensors.get(scaled)?.dtype;
  if (dtype === 'I8') return;
  throw invalid(`${name}: expected ${scaled} to be I8, got ${dtype ?? 'no such tensor'}`);
}

/** The tensor with one scale for each column of an I8 matrix. */
function findScale({ name, shape }: Tensor, tensors: ReadonlyMap<string, Tensor>): Tensor {
  if (shape.length !== 2) throw invalid(`${name}: expected I8 [in, out], got [${shape}]`);
  const scale = tensors.get(name + scaleSuffix);
  if (!scale) throw invalid(`${name}: expected ${name}${scaleSuffix} with it, got no such tensor`);
  const [, outputs] = shape;
  if (scale.dtype === 'I8' || scale.shape.length !== 1 || scale.shape[0] !== outputs) {
    throw invalid(
      `${scale.name}: expected F16 or F32 [${outputs}], got ${scale.dtype} [${scale.shape}]`,
    );
  }
  return scale;
}

/** Multiplies each column of `matrix` [in, out] by its scale, in place. */
function scaleColumns(name: string, matrix: Float32Array, scales: Float32Array): void {
  const wrong = scales.find((scale) => !(scale > 0 && Number.isFinite(scale)));
  if (wrong !== undefined) throw invalid(`${name}: expected positive numbers, got ${wrong}`);
  for (let row = 0; row < matrix.length; row += scales.length) {
    scales.forEach((scale, column) => {
      matrix[row + column] = (matrix[row + column] ?? 0) * scale;
    });
  }
}

function invalid(message: string, cause?: unknown): NarvlError {
  return new NarvlError('invalid-model', `safetensors: ${message}`, { cause });
}

/** The header's bytes, by the first ones of the file. */
function readLength(bytes: ArrayBuffer, fileBytes: number): number {
  const length = new DataView(bytes).getBigUint64(0, true);
  const most = Math.min(fileBytes - lengthBytes, maxHeaderBytes);
  if (length > BigInt(most)) {
    throw invalid(`expected a header of at most ${most} bytes, got ${length}`);
  }
  return Number(length);
}

function readHeader(bytes: ArrayBuffer): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw invalid('expected a header in JSON', cause);
  }
  if (!isObject(header)) throw invalid('expected the header to be a JSON object');
  return header;
}

/** The tensors of a file with `dataBytes` behind its header, by name, in the order of their bytes. */
function checkHeader(header: Record<string, unknown>, dataBytes: number): Map<string, Tensor> {
  const tensors = Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, entry]) => checkEntry(name, entry, dataBytes))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkCoverage(tensors, dataBytes);
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  for (const tensor of tensors) {
    if (isScale(tensor.name)) checkPartner(tensor.name, byName);
    else if (tensor.dtype === 'I8') findScale(tensor, byName);
  }
  return byName;
}

function checkEntry(name: string, entry: unknown, dataBytes: number): Tensor {
  if (!isObject(entry)) throw invalid(`${name}: expected an object, got ${shown(entry)}`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (!isDtype(dtype)) {
    const known = Object.keys(dtypeBytes).join(' or ');
    throw invalid(`${name}: expected dtype ${known}, got ${shown(dtype)}`);
  }
  if (!isSizes(shape)) {
    throw invalid(`${name}: expected a shape of non-negative integers, got ${shown(shape)}`);
  }
  if (!isSizes(offsets) || offsets.length !== 2) {
    throw invalid(`${name}: expected two data offsets, got ${shown(offsets)}`);
  }
  const [begin = 0, end = 0] = offsets;
  if (begin > end || end > dataBytes) {
    throw invalid(`${name}: expected offsets within ${dataBytes} bytes, got ${begin} to ${end}`);
  }
  // A product beyond 2^53 is wrong whatever it rounds to: no file is that long.
  const bytes = shape.reduce((product, size) => product * size, dtypeBytes[dtype]);
  if (bytes !== end - begin) {
    throw invalid(`${name}: expected ${bytes} bytes for ${dtype} [${shape}], got ${end - begin}`);
  }
  return { name, dtype, shape, begin, end };
}

/** The format asks that tensors, here in order, follow each other without gap or overlap to the end. */
function checkCoverage(tensors: readonly Tensor[], dataBytes: number): void {
  let covered = 0;
  for (const { name, begin, end } of tensors) {
    if (begin !== covered) {
      throw invalid(`${name}: expected to start at ${covered}, where the last ends, got ${begin}`);
    }
    covered = end;
  }
  if (covered !== dataBytes) {
    throw invalid(`expected tensors of ${dataBytes} bytes in all, got ${covered}`);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isDtype(value: unknown): value is Dtype {
  return typeof value === 'string' && Object.hasOwn(dtypeBytes, value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

/** A value of the header as an error message shows it, cut so that it stays a line. */
function shown(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 80);
}

// The file is little-endian; so is every device that has a browser with WebGPU or WebAssembly.
function floats(bytes: ArrayBuffer): Float32Array {
  return new Float32Array(bytes);
}

function halves(bytes: ArrayBuffer): Float32Array {
  return Float32Array.from(new Uint16Array(bytes), halfToNumber);
}

function integers(bytes: ArrayBuffer): Float32Array {
  return Float32Array.from(new Int8Array(bytes));
}

const readers = { F32: floats, F16: halves, I8: integers } satisfies Record<Dtype, unknown>;
