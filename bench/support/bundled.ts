/**
 * A benchmark in one process, run as its code is shipped: bundled to one module, native packages aside. Between modules V8 checks at every use
 * of an imported name that it has been set, which with batches of 1 KiB comes to a twentieth of an append.
 */
import { spawnSync } from 'node:child_process';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './build.ts';

const BUNDLED = 'SAMSA_BENCH_BUNDLED';

/**
 * Bundles the benchmark at `url`, runs it with the same arguments and ends; comes back only in the bundle.
 *
 * @param workers sources of what its workers load, from the root.
 */
export async function runBundled(url: string, workers: readonly string[] = []): Promise<void> {
  if (process.env[BUNDLED] !== undefined) return;
  const program = fileURLToPath(url);
  const outDir = join(root, 'out', 'bench');
  for (const worker of workers) await bundle(join(root, worker), outDir, '[name].js');
  await bundle(program, outDir, '[name].mjs');
  const { status } = spawnSync(
    process.execPath,
    [...process.execArgv, join(outDir, basename(program).replace(/\.ts$/, '.mjs')), ...process.argv.slice(2)],
    {
      stdio: 'inherit',
      env: { ...process.env, [BUNDLED]: '1' },
    },
  );
  process.exit(status ?? 1);
}

async function bundle(program: string, outDir: string, entryFileNames: string): Promise<void> {
  const { build } = await import('vite');
  await build({
    root,
    configFile: false,
    logLevel: 'error',
    publicDir: false,
    ssr: { noExternal: true, external: ['vite', '@node-rs/crc32', '@platformatic/wasm-utils', 'lz4-napi', 'snappy'] },
    build: {
      ssr: program,
      outDir,
      emptyOutDir: false,
      target: 'node24',
      minify: false,
      rolldownOptions: { output: { entryFileNames } },
    },
  });
}
