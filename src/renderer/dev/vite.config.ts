/** The development build: the app on the fake backend. `npx vite -c src/renderer/dev/vite.config.ts`, or `build`. */
import { fileURLToPath } from 'node:url';
import { defineConfig, mergeConfig } from 'vite';
import { rendererViteConfig } from '../vite.ts';

const base = { ...rendererViteConfig, build: { ...rendererViteConfig.build, rollupOptions: {} } };

export default defineConfig(
  mergeConfig(base, {
    root: fileURLToPath(new URL('.', import.meta.url)),
    build: {
      outDir: fileURLToPath(new URL('../../../out/renderer-dev', import.meta.url)),
      rollupOptions: { input: fileURLToPath(new URL('index.html', import.meta.url)) },
    },
  }),
);
