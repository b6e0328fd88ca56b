/** Builds the demo and the bench's page; workers, WebAssembly and model are served from one origin. */
import { defineConfig } from 'vite';
import { offline, SERVICE_WORKER } from './src/demo/offline/plugin.ts';

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
  'protobufjs/minimal',
  'valibot',
];

export default defineConfig({
  // Relative, so that the built page works from any folder of any server.
  base: './',
  build: {
    outDir: 'site',
    target: 'es2022',
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: {
        index: 'index.html',
        bench: 'bench.html',
        load: 'load.html',
        [SERVICE_WORKER]: 'src/demo/offline/service-worker.ts',
      },
      output: {
        entryFileNames: ({ name }) =>
          name === SERVICE_WORKER ? `${SERVICE_WORKER}.js` : 'assets/[name]-[hash].js',
      },
    },
  },
  plugins: [offline()],
  worker: { format: 'es' },
  optimizeDeps: { include: workerDependencies },
});
