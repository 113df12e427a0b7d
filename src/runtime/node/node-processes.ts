/** Processes on `node:child_process` and, on Linux, /proc. */
import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import * as fs from 'node:fs';
import { createInterface } from 'node:readline';
import type { Child, ChildCommand, ChildHandler, ChildSignal, PortHolder, Processes } from '../processes.ts';

/** In /proc/PID/stat, behind the command in parentheses: the 22nd field, and counting from the 3rd. */
const START_TIME_FIELD = 22 - 3;
/** The number of threads: the 20th. */
const THREADS_FIELD = 20 - 3;
/** The state of a listening socket in /proc/net/tcp. */
const LISTENING = '0A';

export const nodeProcesses: Processes = {
  ownPid: process.pid,

  spawn({ command, args, env, cwd }: ChildCommand, handler: ChildHandler): Child {
    const child = spawn(command, args, {
      env,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      windowsHide: true,
      // A process group of its own: Ctrl+C in the terminal is for us, and we stop the children in order.
      detached: process.platform !== 'win32',
      ...(cwd === undefined ? {} : { cwd }),
    });
    let startError: Error | undefined;
    let ended = false;
    const end = (code: number | null, signal: string | null): void => {
      if (ended) return;
      ended = true;
      handler.onExit(code, signal, startError);
    };
    // An IPC write to a child that has just died also comes here: only a child without pid has failed to start.
    child.on('error', (error) => {
      if (child.pid !== undefined) return;
      startError = error;
      end(null, null);
    });
    child.on('message', (message) => handler.onMessage(message));
    child.on('exit', (code, signal) => end(code, signal));
    for (const stream of [child.stdout, child.stderr]) forEachLine(stream, (line) => handler.onOutput(line));
    return {
      pid: child.pid,
      send(message) {
        if (!child.connected) return false;
        return child.send(message, () => {});
      },
      signal: (signal) => !ended && child.kill(signal),
    };
  },

  identityOf(pid) {
    if (!exists(pid)) return undefined;
    if (process.platform !== 'linux') return '';
    const fields = statFieldsOf(pid);
    if (fields === undefined) return undefined;
    // A zombie only waits for its parent to look: it is gone. But while others of its threads still end, its files and ports are open.
    const isGone = fields[0] === 'Z' && Number(fields[THREADS_FIELD]) <= 1;
    return isGone ? undefined : (fields[START_TIME_FIELD] ?? '');
  },

  signal(pid: number, signal: ChildSignal) {
    try {
      return process.kill(pid, signal);
    } catch {
      return false;
    }
  },

  portHolder: (port) => (process.platform === 'linux' ? holderOnLinux(port) : undefined),
};

/** Longest line of a child that is kept whole; what follows is a line of its own. */
const MAX_LINE_LENGTH = 16_384;

function forEachLine(stream: Readable | null, onLine: (line: string) => void): void {
  if (stream === null) return;
  stream.on('error', () => {});
  createInterface({ input: stream, crlfDelay: Infinity }).on('line', (line) => onLine(line.slice(0, MAX_LINE_LENGTH)));
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there and someone else's.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** The fields of /proc/PID/stat from the third (the state) on. */
function statFieldsOf(pid: number): string[] | undefined {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

function holderOnLinux(port: number): PortHolder | undefined {
  const inodes = new Set(
    [...listeningInodes('/proc/net/tcp', port), ...listeningInodes('/proc/net/tcp6', port)].map((inode) => `socket:[${inode}]`),
  );
  if (inodes.size === 0) return undefined;
  for (const pid of namesIn('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    for (const fd of namesIn(`/proc/${pid}/fd`)) {
      if (inodes.has(linkOf(`/proc/${pid}/fd/${fd}`))) return { pid: Number(pid), command: commandOf(pid) };
    }
  }
  return undefined;
}

function listeningInodes(file: string, port: number): string[] {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  const inodes: string[] = [];
  for (const line of textOf(file).split('\n').slice(1)) {
    const fields = line.trim().split(/\s+/);
    const [, local, , state] = fields;
    const inode = fields[9];
    if (state === LISTENING && local?.endsWith(`:${hexPort}`) === true && inode !== undefined) inodes.push(inode);
  }
  return inodes;
}

/** The command line, shortened for a person. */
function commandOf(pid: string): string {
  const words = textOf(`/proc/${pid}/cmdline`)
    .split('\0')
    .filter((word) => word !== '');
  const line = words.length === 0 ? textOf(`/proc/${pid}/comm`).trim() : words.join(' ');
  return line.length > 80 ? `${line.slice(0, 79)}…` : line;
}

function namesIn(directory: string): string[] {
  try {
    return fs.readdirSync(directory);
  } catch {
    return [];
  }
}

function linkOf(path: string): string {
  try {
    return fs.readlinkSync(path);
  } catch {
    return '';
  }
}

function textOf(path: string): string {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
