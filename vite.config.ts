/** Builds the demo and the bench's page; workers, WebAssembly and model are served from one origin. */
import { defineConfig } from 'vite';

/** What workers import: found only once it runs, it would reload the page under its user. */
export const workerDependencies = [
  '@huggingface/tokenizers',
  '@huggingface/transformers',
  'comlink',
  'file-type',
  'image-dimensions',
  'onnxruntime-web/jspi',
  'onnxruntime-web/webgpu',
  'p-queue',
  'protobufjs',
  'valibot',
];

export default defineConfig({
  // Relative, so that the built page works from any folder of any server.
  base: './',
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    rolldownOptions: { input: ['index.html', 'bench.html'] },
  },
  worker: { format: 'es' },
  optimizeDeps: { include: workerDependencies },
});
