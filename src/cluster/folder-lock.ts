/**
 * One holder per data folder. Node has no fcntl locks, so it takes two things together:
 * - a lock file, made exclusively, that names its holder (pid, and what tells that process from a later one with its id);
 * - a local socket that the holder listens on and greets on: `{"samsa":1,"pid":…}` and a newline, at once.
 *
 * A holder that greets is alive: attach to it. One whose process is gone (SIGKILL, power cut) left a stale lock, which
 * is taken over. One whose process is there and does not greet (stopped, stuck) keeps the folder: the caller is told its
 * pid. A lock file without a readable holder is one that is just being made, or was cut off while it was: it gets
 * the same time as a holder that doesn't greet yet, and is stale after.
 * Differs from Apache Kafka, whose `.lock` is an fcntl lock that the kernel drops with the process.
 */
import type { Clock } from '../runtime/clock.ts';
import type { Disk } from '../runtime/disk.ts';
import type { Listener, Net, Socket } from '../runtime/net.ts';
import type { Processes } from '../runtime/processes.ts';
import type { Random } from '../runtime/random.ts';
import { sleep } from '../runtime/scheduler.ts';
import type { Scheduler } from '../runtime/scheduler.ts';

export interface LockRuntime {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly disk: Disk;
  readonly net: Net;
  readonly random: Random;
}

export interface LockOptions {
  readonly runtime: LockRuntime;
  readonly processes: Processes;
  readonly lockFile: string;
  readonly socketPath: string;
  /** How long a live holder may take to greet. Default 2,000 ms. */
  readonly patienceMs?: number;
}

export interface FolderLock {
  /** Connections to the socket, already greeted, go here; until it is set they are closed. */
  onConnection: ((socket: Socket) => void) | undefined;
  /** Gives the folder back. */
  release(): Promise<void>;
}

export type LockResult =
  | { readonly outcome: 'acquired'; readonly lock: FolderLock }
  /** Someone else has it and answers on the socket. */
  | { readonly outcome: 'held'; readonly pid: number }
  /** Someone else has it and does not answer. */
  | { readonly outcome: 'unresponsive'; readonly pid: number };

interface Holder {
  readonly pid: number;
  readonly identity: string;
  readonly token: string;
}

type Greeting = { readonly kind: 'greeted'; readonly pid: number } | { readonly kind: 'silent' } | { readonly kind: 'refused' };

const DEFAULT_PATIENCE_MS = 2_000;
const RETRY_MS = 50;
const MAX_GREETING_BYTES = 256;
const MAX_TRIES = 100;
const ONLY_OWNER = 0o600;

/** Takes the folder, or says who has it. Rejects with the file system's error when the lock file can't be made. */
export async function acquireFolderLock(options: LockOptions): Promise<LockResult> {
  const { runtime } = options;
  const deadlineMs = runtime.clock.monotonicMs() + (options.patienceMs ?? DEFAULT_PATIENCE_MS);
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const lock = await tryAcquire(options);
    if (lock !== undefined) return { outcome: 'acquired', lock };
    const content = readIfThere(runtime.disk, options.lockFile);
    if (content === undefined) continue;
    const holder = holderIn(content);
    const leftMs = deadlineMs - runtime.clock.monotonicMs();
    const alive = holder !== undefined && isSameProcess(options.processes, holder);
    if (holder !== undefined && !alive) {
      removeStale(options, content);
      continue;
    }
    const greeting = await askForGreeting(options, Math.max(leftMs, RETRY_MS));
    if (greeting.kind === 'greeted') return { outcome: 'held', pid: greeting.pid };
    if (leftMs > 0) await sleep(runtime.scheduler, RETRY_MS);
    // No listener and no way to tell whether the process is still the same one: its id was given to another.
    else if (holder === undefined || (greeting.kind === 'refused' && holder.identity === '')) removeStale(options, content);
    else return { outcome: 'unresponsive', pid: holder.pid };
  }
  throw new Error(`the lock ${options.lockFile} changes hands too often to be had`);
}

/** The pid of who holds the folder and answers; undefined when nobody does. Takes nothing. */
export async function findHolder(options: LockOptions): Promise<number | undefined> {
  if (!options.runtime.disk.exists(options.lockFile)) return undefined;
  const greeting = await askForGreeting(options, options.patienceMs ?? DEFAULT_PATIENCE_MS);
  return greeting.kind === 'greeted' ? greeting.pid : undefined;
}

async function tryAcquire(options: LockOptions): Promise<FolderLock | undefined> {
  const { runtime, processes, lockFile, socketPath } = options;
  const { disk, random } = runtime;
  const token = random.bytes(8).toString('hex');
  const holder: Holder = { pid: processes.ownPid, identity: processes.identityOf(processes.ownPid) ?? '', token };
  try {
    const file = disk.open(lockFile, 'create-new');
    file.writeGathered([Buffer.from(`${JSON.stringify(holder)}\n`)], 0);
    file.close();
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return undefined;
    throw error;
  }
  const held = new HeldLock(disk, lockFile, token, processes.ownPid);
  try {
    await held.listen(runtime.net, socketPath);
  } catch (error) {
    await held.release();
    throw error;
  }
  // Another may have taken ours for stale between the two steps: whoever's name is in the file has it.
  if (held.isOurs()) return held;
  await held.release();
  return undefined;
}

class HeldLock implements FolderLock {
  onConnection: ((socket: Socket) => void) | undefined;
  readonly #disk: Disk;
  readonly #lockFile: string;
  readonly #token: string;
  readonly #pid: number;
  #listener: Listener | undefined;

  constructor(disk: Disk, lockFile: string, token: string, pid: number) {
    this.#disk = disk;
    this.#lockFile = lockFile;
    this.#token = token;
    this.#pid = pid;
  }

  async listen(net: Net, socketPath: string): Promise<void> {
    const isPipe = socketPath.startsWith('\\\\');
    // What lies there belongs to a holder that is gone: we have the lock file.
    if (!isPipe) removeIfThere(this.#disk, socketPath);
    this.#listener = await net.listen({ path: socketPath }, (socket) => {
      socket.write([Buffer.from(`${JSON.stringify({ samsa: 1, pid: this.#pid })}\n`)]);
      if (this.onConnection === undefined) {
        socket.setHandler({ onData: () => {}, onClose: () => {} });
        socket.end();
      } else this.onConnection(socket);
    });
    if (!isPipe) this.#disk.setMode(socketPath, ONLY_OWNER);
  }

  isOurs(): boolean {
    const content = readIfThere(this.#disk, this.#lockFile);
    return content !== undefined && holderIn(content)?.token === this.#token;
  }

  async release(): Promise<void> {
    const listener = this.#listener;
    this.#listener = undefined;
    await listener?.close();
    if (this.isOurs()) removeIfThere(this.#disk, this.#lockFile);
  }
}

/** Connects and waits for the greeting. `silent`: someone accepts and says nothing; `refused`: nobody listens. */
function askForGreeting(options: LockOptions, timeoutMs: number): Promise<Greeting> {
  const { net, scheduler } = options.runtime;
  return new Promise((resolve) => {
    let received = Buffer.alloc(0);
    let connected = false;
    const finish = (greeting: Greeting): void => {
      timer.cancel();
      socket.destroy();
      resolve(greeting);
    };
    const timer = scheduler.after(timeoutMs, () => finish({ kind: 'silent' }));
    const socket = net.connect(
      { path: options.socketPath },
      {
        onConnect: () => (connected = true),
        onData(chunk) {
          received = Buffer.concat([received, chunk]).subarray(0, MAX_GREETING_BYTES);
          const end = received.indexOf('\n');
          const pid = end < 0 ? undefined : pidIn(received.toString('utf8', 0, end));
          if (pid !== undefined) finish({ kind: 'greeted', pid });
          else if (end >= 0 || received.length >= MAX_GREETING_BYTES) finish({ kind: 'silent' });
        },
        onClose: () => finish({ kind: connected ? 'silent' : 'refused' }),
      },
    );
  });
}

/** Removes the lock file if it still says what we judged; a moment's race is settled by `isOurs`. */
function removeStale(options: LockOptions, content: string): void {
  if (readIfThere(options.runtime.disk, options.lockFile) === content) removeIfThere(options.runtime.disk, options.lockFile);
}

function isSameProcess(processes: Processes, holder: Holder): boolean {
  const identity = processes.identityOf(holder.pid);
  return identity !== undefined && (identity === holder.identity || identity === '' || holder.identity === '');
}

function holderIn(content: string): Holder | undefined {
  const value = parse(content);
  if (value === undefined || typeof value['pid'] !== 'number' || typeof value['token'] !== 'string') return undefined;
  return { pid: value['pid'], token: value['token'], identity: typeof value['identity'] === 'string' ? value['identity'] : '' };
}

function pidIn(greeting: string): number | undefined {
  const value = parse(greeting);
  return value?.['samsa'] === 1 && typeof value['pid'] === 'number' ? value['pid'] : undefined;
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function readIfThere(disk: Disk, path: string): string | undefined {
  try {
    return disk.readFile(path).toString('utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function removeIfThere(disk: Disk, path: string): void {
  try {
    disk.remove(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
