/** Where an Electron runtime is, if there is one on this machine: what ELECTRON_OVERRIDE_DIST_PATH says, or what the package has fetched. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PACKAGE = fileURLToPath(new URL('../node_modules/electron', import.meta.url));

export function electronRuntime(): string | undefined {
  const dist = process.env['ELECTRON_OVERRIDE_DIST_PATH'] ?? join(PACKAGE, 'dist');
  const pathFile = join(PACKAGE, 'path.txt');
  const name = existsSync(pathFile) ? readFileSync(pathFile, 'utf8').trim() : process.platform === 'win32' ? 'electron.exe' : 'electron';
  const binary = join(dist, name);
  return existsSync(binary) ? binary : undefined;
}
