/**
 * The build: `npx electron-vite build` makes out/main (one ES module per process), out/preload (one CommonJS file, since a sandboxed preload
 * can be nothing else) and out/renderer. What is pure JavaScript is bundled, so that a process starts without searching node_modules;
 * native modules, which are package.json's `dependencies`, stay outside. Where the app runs as plain Node (`npx samsa`, `samsa serve`) the
 * same files are used.
 */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'electron-vite';
import type { Plugin } from 'vite';
import { rendererViteConfig } from './src/renderer/vite.ts';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Loaded at run time if there, by packages that do without: they must not be looked for by the bundler. */
const OPTIONAL = ['bufferutil', 'utf-8-validate', 'pino-pretty'];

/**
 * electron-vite declares `require`, `__filename` and `__dirname` at the top of every chunk that mentions them, which clashes with modules
 * that have a `require` of their own. Bundled CommonJS gets its `require` from the bundler: nothing needs the shim.
 */
function withoutShim(): Plugin {
  return {
    name: 'samsa:without-esm-shim',
    configResolved({ plugins }) {
      const shim = plugins.find(({ name }) => name === 'vite:esm-shim');
      if (shim) delete (shim as { renderChunk?: unknown }).renderChunk;
    },
  };
}

export default defineConfig({
  main: {
    plugins: [withoutShim()],
    build: {
      outDir: at('out/main'),
      emptyOutDir: true,
      target: 'node24',
      minify: false,
      sourcemap: false,
      externalizeDeps: true,
      rollupOptions: {
        input: {
          index: at('src/main/index.ts'),
          console: at('src/console/main.ts'),
          broker: at('src/broker/main.ts'),
          zookeeper: at('src/zookeeper/main.ts'),
          cli: at('src/cli/main.ts'),
          'batch-preparation-worker': at('src/broker/log/batch-preparation-worker.ts'),
          'segment-scan-worker': at('src/broker/log/segment-scan-worker.ts'),
          'clean-worker': at('src/broker/log/cleaner/clean-worker.ts'),
        },
        external: OPTIONAL,
        output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
      },
    },
  },
  preload: {
    build: {
      outDir: at('out/preload'),
      emptyOutDir: true,
      target: 'node24',
      minify: false,
      externalizeDeps: false,
      rollupOptions: {
        input: { index: at('src/preload/index.ts') },
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  },
  renderer: rendererViteConfig,
});
