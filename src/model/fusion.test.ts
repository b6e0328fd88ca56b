/** A phrase map in a graph: taken with a manifest that has a task for it, and with no other. */
import { describe, expect, test } from 'vitest';
import { fusionShape, randomFusion } from '../testing/networks.ts';
import type { Weight } from './decoder.ts';
import { type FusionLinear, type FusionNetwork, type FusionNorm, readFusion } from './fusion.ts';
import type { Manifest } from './manifest.ts';
import type { OnnxGraph, OnnxNode } from './onnx.ts';

const { width, cells, features, words, pad, vocabulary, places } = fusionShape;

/** What of a manifest a graph is read by. */
function manifest(map?: { stride: number; weight: number }): Parameters<typeof readFusion>[1] {
  const sizes = { layers: 1, ffn: 4, queries: 8, memory: cells + words, blank: 0, eos: 2 };
  return {
    features: { rows: cells, width: features, grid: [3, 3] },
    prompt: { length: words, pad },
    names: undefined,
    decoder: { ...fusionShape, ...sizes },
    tasks: {
      locate: {
        kind: 'locate',
        prompt: 'where is {}?',
        queries: { first: 0, count: 7 },
        bins: { first: 40, count: 8, map },
      },
    } satisfies Manifest['tasks'],
  };
}

const asked = manifest({ stride: 4, weight: 0.1 });

/** The graph that a network is exported as, with some of its weights changed. */
function graphOf(
  network: FusionNetwork,
  changed: Readonly<Record<string, Weight>> = {},
): OnnxGraph {
  const weights = new Map<string, Weight>();
  const nodes: OnnxNode[] = [];
  const put = (name: string, data: Float32Array, ...shape: number[]) =>
    weights.set(`fusion.${name}`, { shape, data });
  const norm = (name: string, { gain, bias }: FusionNorm) => {
    put(`${name}.weight`, gain, width);
    put(`${name}.bias`, bias, width);
  };
  // The exporter numbers matrices, and names the node that multiplies by one.
  const linear = (name: string, { weight, bias }: FusionLinear) => {
    const matrix = `onnx::MatMul_${nodes.length}`;
    const outputs = bias.length;
    put(`${name}.bias`, bias, outputs);
    weights.set(matrix, { shape: [weight.length / outputs, outputs], data: weight });
    const path = name.replaceAll('.', '/').replace(/layers\/(\d)/, 'layers.$1');
    const attributes = new Map<string, readonly number[]>();
    const [inputs, outs] = [['x', matrix], ['y']];
    nodes.push({
      operator: 'MatMul',
      name: `/fusion/${path}/MatMul`,
      inputs,
      outputs: outs,
      attributes,
    });
  };
  linear('image', network.image);
  norm('image_norm', network.imageNorm);
  put('image_position', network.imagePosition, cells, width);
  put('word.weight', network.words, vocabulary, width);
  norm('word_norm', network.wordNorm);
  put('word_position', network.wordPosition, words, width);
  network.layers.forEach((layer, i) => {
    norm(`layers.${i}.self.norm`, layer.selfNorm);
    linear(`layers.${i}.self.qkv`, layer.qkv);
    linear(`layers.${i}.self.attention.out`, layer.out);
    norm(`layers.${i}.ffn.norm`, layer.ffnNorm);
    linear(`layers.${i}.ffn.up`, layer.up);
    linear(`layers.${i}.ffn.down`, layer.down);
  });
  norm('norm', network.norm);
  const { phraseMap } = network;
  if (phraseMap) {
    const units = phraseMap.inside.bias.length;
    put('phrase_map.inside', phraseMap.inside.weight, width, units);
    put('phrase_map.bias', phraseMap.inside.bias, units);
    put('phrase_map.table.weight', phraseMap.table, vocabulary, units);
    put('phrase_map.prior', phraseMap.prior, cells);
  }
  for (const [name, weight] of Object.entries(changed)) weights.set(`fusion.${name}`, weight);
  return { nodes, names: new Set(weights.keys()), weight: (name) => weights.get(name) };
}

const without = randomFusion(1, { names: false, detector: false });
const network = randomFusion(1, { names: false, detector: false, map: true });

describe('a phrase map', () => {
  test('is read with the rest where a task is to use it', () => {
    expect(readFusion(graphOf(network), asked)).toEqual(network);
    expect(readFusion(graphOf(without), manifest())).toEqual(without);
  });

  test('that no task knows of makes a graph of another kind, and so does one that is not there', () => {
    expect(readFusion(graphOf(network), manifest())).toBeUndefined();
    expect(readFusion(graphOf(network), { ...asked, tasks: {} })).toBeUndefined();
    expect(readFusion(graphOf(without), asked)).toBeUndefined();
  });

  test('of units that kernels do not take is left to onnxruntime', () => {
    const odd = { ...fusionShape, places: 6 };
    const graph = graphOf(randomFusion(1, { names: false, detector: false, map: true }, odd));
    expect(readFusion(graph, asked)).toBeUndefined();
  });

  test.each([
    ['inside', [width + 1, places]],
    ['bias', [places + 4]],
    ['table.weight', [vocabulary - 1, places]],
    ['prior', [cells - 1]],
  ])('whose %s has another shape is refused', (name, shape) => {
    const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
    const graph = graphOf(network, { [`phrase_map.${name}`]: { shape, data } });
    expect(() => readFusion(graph, asked)).toThrow(
      expect.objectContaining({
        code: 'invalid-model',
        message: expect.stringContaining(`fusion.onnx: phrase_map.${name}`),
      }),
    );
  });
});
