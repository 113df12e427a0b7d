/** What is measured is the build, as users run it. It is made anew when a source file is younger. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fail } from './command-line.ts';
import { print } from './print.ts';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const samsaCommand = join(root, 'bin', 'samsa.mjs');

/** The children's programs, for `startCluster`: this process runs from source, they don't. */
export const builtEntries = { broker: join(root, 'out', 'main', 'broker.js'), zookeeper: join(root, 'out', 'main', 'zookeeper.js') };

/** What the measured processes are made of. */
const SOURCES = ['broker', 'cli', 'client', 'cluster', 'log-format', 'protocol', 'runtime', 'zk-client', 'zookeeper'];

/** `more`: other folders of `src` that are measured. */
export function ensureBuilt(more: readonly string[] = []): void {
  const builtMs = existsSync(builtEntries.broker) ? statSync(builtEntries.broker).mtimeMs : 0;
  if ([...SOURCES, ...more].every((folder) => newest(join(root, 'src', folder)) <= builtMs)) return;
  print('building out/ …');
  const outcome = spawnSync(process.execPath, [join(root, 'node_modules', 'electron-vite', 'bin', 'electron-vite.js'), 'build'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (outcome.status !== 0) fail(`the build failed:\n${outcome.stdout}${outcome.stderr}`);
}

function newest(folder: string): number {
  let newestMs = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name.endsWith('.test.ts')) continue;
    newestMs = Math.max(newestMs, statSync(join(entry.parentPath, entry.name)).mtimeMs);
  }
  return newestMs;
}
