/**
 * Finds the Electron runtime, or says in one line why there is none. It is not inside the npm package: it is looked
 * for first, then fetched once by the package's own installer, with a bounded wait. A refusal is remembered.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, say } from './setup.mjs';

const FETCH_LIMIT_MS = 180_000;
const packageDirectory = join(root, 'node_modules', 'electron');
const refusalFile = join(root, 'node_modules', '.samsa-electron-refused');

const EXECUTABLE = { darwin: 'Electron.app/Contents/MacOS/Electron', win32: 'electron.exe' };

function executableIn(directory) {
  const path = join(directory, EXECUTABLE[process.platform] ?? 'electron');
  return existsSync(path) ? path : undefined;
}

function wantedVersion() {
  return JSON.parse(readFileSync(join(packageDirectory, 'package.json'), 'utf8')).version;
}

/** Runs the installer; gives undefined when it worked, else the reason. */
function fetchRuntime() {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(packageDirectory, 'install.js')], { cwd: packageDirectory, stdio: ['ignore', 2, 'pipe'] });
    let errors = '';
    child.stderr.on('data', (chunk) => {
      errors = (errors + chunk).slice(-4096);
    });
    const limit = setTimeout(() => child.kill('SIGKILL'), FETCH_LIMIT_MS);
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) => {
      clearTimeout(limit);
      if (code === 0) resolve(undefined);
      else if (signal === 'SIGKILL') resolve(`its download did not finish in ${FETCH_LIMIT_MS / 1000} s`);
      else resolve(`its download was refused (${reasonIn(errors)})`);
    });
  });
}

/** The first telling line of the installer's stack trace, without addresses. */
function reasonIn(text) {
  const line = text.split('\n').find((part) => /Error|E[A-Z]{4,}|refused|status/u.test(part)) ?? 'no reason given';
  return line
    .replaceAll(/https?:\/\/\S+/gu, '')
    .replaceAll(/\s+/gu, ' ')
    .trim()
    .slice(0, 120);
}

/** `{ path }` of a runtime that can open a window here, or `{ reason }` why there is none. */
export async function findElectron({ retry = false } = {}) {
  if (process.env.SAMSA_HOST === 'browser') return { reason: 'SAMSA_HOST=browser asks for the browser' };
  if (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) {
    return { reason: 'there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set)' };
  }
  const overridden = process.env.ELECTRON_OVERRIDE_DIST_PATH;
  if (overridden) {
    const path = executableIn(overridden);
    return path ? { path } : { reason: `ELECTRON_OVERRIDE_DIST_PATH=${overridden} holds no Electron` };
  }
  const installed = executableIn(join(packageDirectory, 'dist'));
  if (installed) return usable(installed);
  const version = wantedVersion();
  if (!retry && existsSync(refusalFile)) {
    const refusal = JSON.parse(readFileSync(refusalFile, 'utf8'));
    if (refusal.version === version)
      return { reason: `Electron ${version}: ${refusal.reason}; \`npm start -- --fetch-electron\` tries again` };
  }
  say(`fetching the Electron ${version} runtime (once; at most ${FETCH_LIMIT_MS / 1000} s) …`);
  const reason = await fetchRuntime();
  const path = executableIn(join(packageDirectory, 'dist'));
  if (reason === undefined && path) return usable(path);
  const refusal = { version, reason: reason ?? 'its installer left no runtime' };
  writeFileSync(refusalFile, JSON.stringify(refusal));
  return { reason: `Electron ${version}: ${refusal.reason}` };
}

/** Chromium refuses to run its sandbox as root, and Samsa never switches the sandbox off. */
function usable(path) {
  if (process.platform === 'linux' && process.getuid?.() === 0) return { reason: 'Electron keeps its sandbox, which root cannot use' };
  return { path };
}
