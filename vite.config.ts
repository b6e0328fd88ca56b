/** Builds the demo page; its worker, the WebAssembly and the model are served from one origin. */
import { defineConfig } from 'vite';

export default defineConfig({
  // Relative, so that the built page works from any folder of any server.
  base: './',
  build: { target: 'es2022', assetsInlineLimit: 0 },
  worker: { format: 'es' },
  // Found only once the worker runs, they would reload the page under its user.
  optimizeDeps: {
    include: [
      '@huggingface/tokenizers',
      'comlink',
      'file-type',
      'image-dimensions',
      'onnxruntime-web/jspi',
      'onnxruntime-web/webgpu',
      'p-queue',
      'valibot',
    ],
  },
});
