/** decoder.onnx, which browsers without WebGPU decode with: what becomes of a model where it is not. */
import { describe, expect, it, vi } from 'vitest';
import { fetchManifest, openChanged } from './changed-model.ts';

describe('decoder.onnx', () => {
  it('has to be there for who asks for WebAssembly, and to be a graph', async () => {
    const { files } = await fetchManifest();
    const { 'decoder.onnx': graph, ...others } = files;
    expect(graph?.bytes).toBeLessThan(200_000);
    await expect(openChanged({ files: others }, 'wasm')).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringContaining("expected 'webgpu' or 'reference', got 'wasm'"),
    });
    // The right bytes by its hash, and no graph.
    const wrong = { ...graph, ...files['tokenizer.json'] };
    const { fetch } = globalThis;
    vi.stubGlobal('fetch', (url: string, init?: RequestInit) =>
      fetch(url.replace('decoder.onnx', 'tokenizer.json'), init),
    );
    await expect(
      openChanged({ files: { ...files, 'decoder.onnx': wrong } }, 'wasm'),
    ).rejects.toMatchObject({
      code: 'invalid-model',
      message: expect.stringContaining('decoder.onnx cannot be run'),
    });
  });
});
