#!/usr/bin/env node
/**
 * `samsa`, from a checkout or an installed package, on any Node from 20 on: finds a Node that is new enough (this one, or the
 * one in node_modules) and runs the built command, else the source. Signals pass through, and so does the exit code.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as module from 'node:module';
import { constants, homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const NEEDED_MAJOR = 24;
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const built = join(root, 'out', 'main', 'cli.js');
const source = join(root, 'src', 'cli', 'main.ts');
const entry = existsSync(built) && process.env.SAMSA_FROM_SOURCE !== '1' ? built : source;

/** Where V8 keeps compiled code between starts; the children of a cluster use the same (src/cluster/data-folder.ts). */
const cacheBase = process.env.XDG_CACHE_HOME ?? '';
const compileCache =
  process.env.NODE_COMPILE_CACHE ?? join(isAbsolute(cacheBase) ? cacheBase : join(homedir(), '.cache'), 'samsa', 'compile-cache');

function fail(message) {
  process.stderr.write(`samsa: ${message}\n`);
  process.exit(1);
}

if (!existsSync(entry)) fail(`neither ${built} nor ${source} is there`);
if (Number(process.versions.node.split('.')[0]) >= NEEDED_MAJOR) {
  module.enableCompileCache?.(compileCache);
  await import(pathToFileURL(entry).href);
} else {
  const own = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (!existsSync(own)) fail(`Node ${NEEDED_MAJOR} or later is needed, this is ${process.version}; run 'npm install' in ${root}`);
  // The channel tells the command when this launcher is gone, however it went.
  const child = spawn(own, [entry, ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, NODE_COMPILE_CACHE: compileCache },
  });
  // Ctrl+C reaches the child by itself, since it shares our terminal: only wait for it.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => fail(`${own} could not be started: ${error.message}`));
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal ?? 'SIGTERM'] ?? 15)));
}
