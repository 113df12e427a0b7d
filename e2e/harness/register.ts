/** Loaded before the app's program: answers `electron` with the harness's stand-in. */
import { registerHooks } from 'node:module';

const ELECTRON = new URL('electron.ts', import.meta.url).href;

registerHooks({
  resolve: (specifier, context, nextResolve) =>
    specifier === 'electron' ? { url: ELECTRON, shortCircuit: true } : nextResolve(specifier, context),
});
