/**
 * Builds the package into dist/: whole scripts without bare imports, for pages with and without a
 * bundler alike, beside their worker, onnxruntime's WebAssembly and the model.
 *
 * The scripts name those files by `new URL(…, import.meta.url)`, which browsers resolve and bundlers
 * copy. To a bundler the worker is a file like the others: it is not built again, so its host needs
 * no settings for workers.
 */
import { cp } from 'node:fs/promises';
import { defineConfig, type Plugin } from 'vite';
import { bareShaders } from './packaging/bare-shaders.ts';
import { licences } from './packaging/licences.ts';

const assetFileNames = '[name][extname]';

/** The models, as they are served: a folder each. */
const models: Plugin = {
  name: 'narvl:models',
  apply: 'build',
  writeBundle: ({ dir = 'dist' }) => cp('public/models', `${dir}/models`, { recursive: true }),
};

export default defineConfig({
  base: './',
  publicDir: false,
  plugins: [models, bareShaders(), licences()],
  build: {
    outDir: 'dist',
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: false,
    rolldownOptions: {
      input: { narvl: 'src/index.ts', 'narvl-image': 'src/widget/index.ts' },
      preserveEntrySignatures: 'strict',
      checks: { pluginTimings: false },
      // What both scripts share is one more, which both import. Chunks are named before some of them are
      // merged, so that one name for all would come with a number.
      output: {
        assetFileNames,
        chunkFileNames: ({ name }) => (name === 'src' ? 'narvl-core.js' : '[name].js'),
        entryFileNames: '[name].js',
      },
    },
  },
  worker: {
    format: 'es',
    plugins: () => [bareShaders(), licences()],
    // One file: what a bundler copies cannot import others.
    rolldownOptions: {
      checks: { pluginTimings: false },
      output: { assetFileNames, entryFileNames: 'narvl-worker.js', codeSplitting: false },
    },
  },
});
