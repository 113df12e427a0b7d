/** The real process of a server: what Java's system properties say of Apache's, said of Node. */
import * as os from 'node:os';
import process from 'node:process';
import { nodeDisk } from '../runtime/node/node-disk.ts';
import type { ProcessInfo } from './process-info.ts';

export function nodeProcessInfo(): ProcessInfo {
  return {
    environment: () =>
      new Map([
        ['host.name', os.hostname()],
        ['java.version', `none (Node.js ${process.versions.node})`],
        ['java.vendor', 'none (Node.js)'],
        ['java.home', process.execPath],
        ['java.class.path', process.argv[1] ?? ''],
        ['java.library.path', ''],
        ['java.io.tmpdir', os.tmpdir()],
        ['java.compiler', `V8 ${process.versions.v8}`],
        ['os.name', os.type()],
        ['os.arch', os.arch()],
        ['os.version', os.release()],
        ['user.name', userName()],
        ['user.home', os.homedir()],
        ['user.dir', process.cwd()],
        ['os.memory.free', megabytes(os.freemem())],
        ['os.memory.max', megabytes(os.totalmem())],
        ['os.memory.total', megabytes(process.memoryUsage.rss())],
      ]),
    openFileDescriptors: () => countOpenFiles(),
    maxFileDescriptors: maxOpenFiles(),
  };
}

function megabytes(bytes: number): string {
  return `${Math.floor(bytes / 1024 / 1024)}MB`;
}

/** A user id without an entry in the system's table has no name. */
function userName(): string {
  try {
    return os.userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 'unknown');
  }
}

function countOpenFiles(): number {
  try {
    // The listing itself is one.
    return nodeDisk.list('/proc/self/fd').length - 1;
  } catch {
    return -1;
  }
}

function maxOpenFiles(): number {
  try {
    const limit = /^Max open files\s+(\d+)/m.exec(nodeDisk.readFile('/proc/self/limits').toString('utf8'))?.[1];
    return limit === undefined ? -1 : Number(limit);
  } catch {
    return -1;
  }
}
