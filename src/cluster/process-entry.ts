/**
 * How a child is started: the same program file in a checkout (TypeScript, run by Node as it is) and in a build
 * (`out/main/*.js`), by Node or by Electron's binary acting as Node.
 */
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeDisk } from '../runtime/node/node-disk.ts';
import type { ChildCommand } from '../runtime/processes.ts';
import { compileCacheFolder } from './data-folder.ts';

export type ChildKind = 'broker' | 'zookeeper';
type ProgramKind = ChildKind | 'cli';

/**
 * V8 counts the bytes of buffers against a limit of its own (64 MB since the last full collection), whatever the heap does: a broker
 * that takes 600 MiB/s made 40 to 75 full collections for each GiB, half of its CPU time. Counted with the heap, whose limit then
 * begins at 96 MB, the young generation's collections free them. Measured in docs/performance.md. Held to the line of Node that
 * it was tried on: another V8 may not know the flags, and a Node that doesn't know a flag doesn't start.
 */
const BUFFERS_COUNT_AS_HEAP: readonly string[] = isTriedNode()
  ? ['--external-memory-accounted-in-global-limit', '--initial-old-space-size=96']
  : [];

/**
 * Flags of Node and V8 per kind of child: the one place where their memory is tuned.
 * Source maps and warnings of type stripping are of no use in a child.
 */
const NODE_FLAGS: Readonly<Record<ChildKind, readonly string[]>> = {
  broker: ['--disable-warning=ExperimentalWarning', ...BUFFERS_COUNT_AS_HEAP],
  zookeeper: ['--disable-warning=ExperimentalWarning'],
};

/** Electron has a V8 of its own, newer than its Node's. */
function isTriedNode(): boolean {
  return process.versions['electron'] === undefined && process.versions.v8.startsWith('13.6.');
}

/** More flags for all children, from SAMSA_NODE_FLAGS (separated by spaces): for profiles and for trying other limits. */
function extraFlags(): readonly string[] {
  return (process.env['SAMSA_NODE_FLAGS'] ?? '').split(' ').filter((flag) => flag !== '');
}

/** The project's folder: where package.json, `resources` and `out` are. */
export function projectRoot(from: string = fileURLToPath(import.meta.url)): string {
  let folder = dirname(from);
  while (!nodeDisk.exists(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error(`no package.json above ${from}`);
    folder = parent;
  }
  return folder;
}

/** Whether this code itself runs from source; children then do too. */
export function runsFromSource(from: string = fileURLToPath(import.meta.url)): boolean {
  return from.startsWith(join(projectRoot(from), 'src') + sep);
}

/** The program file of a kind of child. */
export function entryOf(kind: ProgramKind): string {
  const root = projectRoot();
  return runsFromSource() ? join(root, 'src', kind, 'main.ts') : join(root, 'out', 'main', `${kind}.js`);
}

/** Starts `entry` (default: the kind's own) with the path of its configuration as its argument. */
export function childCommand(kind: ChildKind, configPath: string, entry: string = entryOf(kind)): ChildCommand {
  return nodeCommand([...NODE_FLAGS[kind], ...extraFlags(), entry, configPath]);
}

/** `samsa ARGS` as a child of ours. */
export function samsaCommand(args: readonly string[]): ChildCommand {
  return nodeCommand(['--disable-warning=ExperimentalWarning', entryOf('cli'), ...args]);
}

function nodeCommand(args: readonly string[]): ChildCommand {
  const electron = process.versions['electron'] === undefined ? {} : { ELECTRON_RUN_AS_NODE: '1' };
  return {
    command: process.execPath,
    args,
    // A debugger or test runner of ours must not reach into the children.
    env: { ...process.env, NODE_OPTIONS: undefined, NODE_CHANNEL_FD: undefined, ...electron, NODE_COMPILE_CACHE: compileCacheFolder() },
  };
}
