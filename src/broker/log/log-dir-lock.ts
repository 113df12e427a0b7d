/**
 * `.lock`: one broker at a time in a log dir. Kafka holds an fcntl lock on it, which Node lacks; ours is what the file says, and a
 * local socket that its holder listens on, so that a holder that was killed is told from one that lives:
 *
 *   .lock = "<socket path>\n<pid>\n<nonce>\n"
 *
 * On Linux `/proc/locks` tells of a Java broker that holds the file. The file stays when the broker ends, as Kafka's does.
 * Source: Kafka's LogManager.lockLogDirs and FileLock.
 */
import { LOCK_FILE } from '../../log-format/file-names.ts';
import type { Listener } from '../../runtime/net.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { LogDirRefusedError } from './log-errors.ts';

/** A local socket's path is at most 108 bytes on Linux, 104 on macOS. */
const MAX_SOCKET_PATH = 100;
const PROBE_TIMEOUT_MS = 1000;

export interface LockOptions {
  readonly runtime: Pick<Runtime, 'disk' | 'net' | 'random' | 'scheduler' | 'logger'>;
  readonly directory: string;
  readonly pid: number;
  /** A folder with a short path, for the socket of a log dir whose own path is too long. */
  readonly socketDirectory: string;
}

export class LogDirLock {
  readonly #listener: Listener;
  readonly #release: () => void;

  private constructor(listener: Listener, release: () => void) {
    this.#listener = listener;
    this.#release = release;
  }

  /** Takes the lock. @throws LogDirRefusedError naming the holder; the disk's errors. */
  static async acquire(options: LockOptions): Promise<LogDirLock> {
    const { runtime, directory, pid } = options;
    const { disk, net, random } = runtime;
    const path = `${directory}/${LOCK_FILE}`;
    refuseJavaHolder(options, path);
    const holder = disk.exists(path) ? parseLock(disk.readFile(path).toString('utf8')) : undefined;
    if (holder !== undefined && (await answers(options, holder.socketPath))) {
      throw new LogDirRefusedError(directory, `${directory} is in use by the broker with process id ${holder.pid}: ${path} is held by it`);
    }
    const nonce = random.bytes(8).toString('hex');
    const socketPath = socketPathOf(options);
    if (disk.exists(socketPath)) disk.remove(socketPath);
    const listener = await net.listen({ path: socketPath }, (socket) => socket.destroy());
    disk.writeFile(path, `${socketPath}\n${pid}\n${nonce}\n`);
    const release = (): void => {
      if (disk.exists(socketPath)) disk.remove(socketPath);
    };
    // Of two that found the same dead holder the one that wrote last has it.
    if (parseLock(disk.readFile(path).toString('utf8'))?.nonce !== nonce) {
      await listener.close();
      throw new LogDirRefusedError(directory, `${directory} was taken by another broker at this moment`);
    }
    return new LogDirLock(listener, release);
  }

  async release(): Promise<void> {
    await this.#listener.close();
    this.#release();
  }
}

interface Holder {
  readonly socketPath: string;
  readonly pid: string;
  readonly nonce: string;
}

/** What the file says; undefined for an empty one, as Kafka leaves it. */
function parseLock(text: string): Holder | undefined {
  const [socketPath, pid, nonce] = text.split('\n');
  if (socketPath === undefined || socketPath === '' || pid === undefined || nonce === undefined) return undefined;
  return { socketPath, pid, nonce };
}

function socketPathOf({ directory, socketDirectory }: LockOptions): string {
  const own = `${directory}/${LOCK_FILE}.sock`;
  if (Buffer.byteLength(own) <= MAX_SOCKET_PATH) return own;
  let hash = 0;
  for (const byte of Buffer.from(directory)) hash = (Math.imul(hash, 31) + byte) >>> 0;
  return `${socketDirectory}/samsa-${hash.toString(16)}-${Buffer.byteLength(directory)}.sock`;
}

function answers({ runtime }: LockOptions, path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const timeout = runtime.scheduler.after(PROBE_TIMEOUT_MS, () => settle(true));
    // A holder that is frozen doesn't accept, but the kernel connects for it: it is alive.
    const socket = runtime.net.connect({ path }, { onConnect: () => settle(true), onData: () => {}, onClose: () => settle(false) });
    let settled = false;
    function settle(answer: boolean): void {
      if (settled) return;
      settled = true;
      timeout.cancel();
      socket.destroy();
      resolve(answer);
    }
  });
}

/** A JVM that holds an fcntl lock on the file is listed under its inode. */
function refuseJavaHolder({ runtime, directory }: LockOptions, path: string): void {
  const inode = runtime.disk.stat(path)?.inode;
  if (inode === undefined || !runtime.disk.exists('/proc/locks')) return;
  for (const line of runtime.disk.readFile('/proc/locks').toString('utf8').split('\n')) {
    const match = /POSIX\s+ADVISORY\s+WRITE\s+(-?\d+)\s+\S+:(\d+)\s/.exec(line);
    if (match?.[2] === String(inode)) {
      throw new LogDirRefusedError(
        directory,
        `${directory} is in use by the process ${match[1]}, which holds a lock on ${path} (another Kafka broker)`,
      );
    }
  }
}
