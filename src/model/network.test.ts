/** The shipped graphs, read as networks: what is known is taken whole, what is not is left to onnxruntime. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseManifest } from './manifest.ts';
import { readNetwork } from './network.ts';
import { alike, promisedShape, shapeOf } from './network-shape.ts';
import { readOnnx } from './onnx.ts';

const folder = new URL('../../public/models/narvl-photo/', import.meta.url);
const file = (name: string): ArrayBuffer =>
  new Uint8Array(readFileSync(new URL(name, folder))).buffer;
const manifest = parseManifest(new TextDecoder().decode(file('manifest.json')));
const [vision, fusion] = [file('vision.onnx'), file('fusion.onnx')];

test('an EfficientNet-Lite2 and three layers of fusion with names', () => {
  const network = readNetwork(manifest, vision, fusion);
  const sizes = network?.vision.blocks.map(({ expand, depthwise, project, residual }) => [
    ...[expand?.inputs ?? 0, depthwise.channels, depthwise.kernel, depthwise.stride],
    ...[project.outputs, Number(residual)],
  ]);
  expect(sizes?.slice(0, 5)).toEqual([
    [0, 32, 3, 1, 16, 0],
    [16, 96, 3, 2, 24, 0],
    [24, 144, 3, 1, 24, 1],
    [24, 144, 3, 1, 24, 1],
    [24, 144, 5, 2, 48, 0],
  ]);
  expect(sizes).toHaveLength(21);
  expect(network?.vision).toMatchObject({ fine: 14, head: { inputs: 352, outputs: 1280 } });
  expect(network?.fusion.layers).toHaveLength(3);
  expect(network?.fusion.tags).toMatchObject({ classes: 1000, count: 3, pieces: 5 });
});

test('the sizes that the manifest says before the graphs are there', () => {
  const network = readNetwork(manifest, vision, fusion);
  const promised = promisedShape(manifest);
  expect(promised).toEqual(network && shapeOf(network));
  expect(network && promised && alike(promised, shapeOf(network))).toBe(true);
  expect(promisedShape({ ...manifest, network: undefined })).toBeUndefined();
});

test('weights as they were, in f16 and in 8 bits with a scale', () => {
  const graph = readOnnx(vision);
  expect(graph.weight('stem.0.1.weight')?.shape).toEqual([32, 3, 3, 3]);
  const { shape, data } = graph.weight('head.0.0.weight') ?? { shape: [], data: [] };
  expect(shape).toEqual([1280, 352, 1, 1]);
  // Each output's largest weight has all of 8 bits, so the others are whole parts of a 127th of it.
  const row = Array.from(data.slice(0, 352));
  const step = Math.max(...row.map(Math.abs)) / 127;
  for (const weight of row) expect(weight / step).toBeCloseTo(Math.round(weight / step), 3);
  expect(graph.weight('none')).toBeUndefined();
});

test('what is of another kind is left alone', () => {
  const { features } = manifest;
  const others = [
    { ...manifest, features: { ...features, width: 1280 } },
    { ...manifest, decoder: { ...manifest.decoder, memory: 90 } },
    { ...manifest, names: undefined },
  ];
  for (const other of others) expect(readNetwork(other, vision, fusion)).toBeUndefined();
  expect(readNetwork(manifest, fusion, fusion)).toBeUndefined();
});

test('a file that was cut short, or is none, is refused', () => {
  const invalid = expect.objectContaining({ code: 'invalid-model' });
  expect(() => readOnnx(vision.slice(0, 100_000))).toThrow(invalid);
  expect(() => readOnnx(new TextEncoder().encode('<!doctype html>').buffer)).toThrow(invalid);
});
