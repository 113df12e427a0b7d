/**
 * Where a cluster's files lie.
 *
 *     <home>/cluster/cluster.json     the spec
 *                    zookeeper/       ZooKeeper's dataDir, nothing of ours in it
 *                    broker-1/ …      each broker's log dir (broker-1-dir-2/ … where it has more), nothing of ours in it (Kafka refuses folders it doesn't know)
 *                    logs/            what the processes log
 *                    run/             lock, control socket, children's configurations and sessions; rights for the user only
 *     <home>/clusters/<name>/         the homes of further clusters, each as this one (local-clusters.ts)
 */
import { createHash } from 'node:crypto';
import { homedir, tmpdir, userInfo } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import type { Disk } from '../runtime/disk.ts';
import type { Random } from '../runtime/random.ts';

export interface DataFolder {
  readonly home: string;
  /** `<home>/cluster`. */
  readonly cluster: string;
  readonly spec: string;
  readonly zookeeper: string;
  readonly logs: string;
  readonly run: string;
  readonly lock: string;
  /** Where the supervisor answers: a path, or on Windows a pipe's name. */
  readonly socket: string;
  /** Pids of the children, for the next supervisor if this one is killed. */
  readonly children: string;
  broker(id: number): string;
  /** A broker's first `count` log dirs. */
  logDirs(id: number, count: number): readonly string[];
  /** Of a process id like `broker-1` or `zookeeper`. */
  config(processId: string): string;
  log(processId: string): string;
  session(processId: string): string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** `sockaddr_un` holds 108 bytes on Linux and 104 on macOS, the closing zero included. */
const MAX_SOCKET_PATH_BYTES = 100;
const ONLY_OWNER = 0o700;

/** SAMSA_HOME, else the platform's data folder with `samsa` in it. */
export function defaultHome(environment: Environment = process.env, platform: NodeJS.Platform = process.platform): string {
  const own = environment['SAMSA_HOME'];
  if (own !== undefined && own !== '') return resolve(own);
  if (platform === 'win32') return join(environment['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local'), 'samsa');
  if (platform === 'darwin') return join(environment['HOME'] ?? homedir(), 'Library', 'Application Support', 'samsa');
  const xdg = environment['XDG_DATA_HOME'];
  // The XDG specification has relative paths ignored.
  const base = xdg !== undefined && isAbsolute(xdg) ? xdg : join(environment['HOME'] ?? homedir(), '.local', 'share');
  return join(base, 'samsa');
}

/** Where V8 keeps compiled code between starts: worth some 100 ms for each process. Shared by all clusters of the user. */
export function compileCacheFolder(environment: Environment = process.env): string {
  const cache = environment['XDG_CACHE_HOME'];
  const base = cache !== undefined && isAbsolute(cache) ? cache : join(environment['HOME'] ?? homedir(), '.cache');
  return environment['NODE_COMPILE_CACHE'] ?? join(base, 'samsa', 'compile-cache');
}

export function dataFolderAt(home: string): DataFolder {
  const cluster = join(resolve(home), 'cluster');
  const run = join(cluster, 'run');
  const logs = join(cluster, 'logs');
  return {
    home: resolve(home),
    cluster,
    spec: join(cluster, 'cluster.json'),
    zookeeper: join(cluster, 'zookeeper'),
    logs,
    run,
    lock: join(run, 'cluster.lock'),
    socket: socketPathFor(run),
    children: join(run, 'children.json'),
    broker: (id) => join(cluster, `broker-${id}`),
    logDirs: (id, count) =>
      Array.from({ length: count }, (_, index) => join(cluster, index === 0 ? `broker-${id}` : `broker-${id}-dir-${index + 1}`)),
    config: (processId) => join(run, `${processId}.json`),
    log: (processId) => join(logs, `${processId}.log`),
    session: (processId) => join(run, `${processId}.session`),
  };
}

/** Makes the folders that must be there before anything starts. */
export function makeDataFolder(disk: Disk, folder: DataFolder): void {
  disk.makeDirectory(folder.logs);
  disk.makeDirectory(folder.run);
  // Sessions' passwords and the control socket lie in it.
  if (process.platform !== 'win32') disk.setMode(folder.run, ONLY_OWNER);
  const socketFolder = join(folder.socket, '..');
  if (process.platform !== 'win32' && socketFolder !== folder.run) {
    disk.makeDirectory(socketFolder);
    // Fails when the folder is another user's, and that is the point: in /tmp anyone could have made it.
    disk.setMode(socketFolder, ONLY_OWNER);
  }
}

/** A home for one run: made empty, removed by who asked for it. */
export function temporaryHome(random: Random): string {
  return join(tmpdir(), `samsa-${random.bytes(6).toString('hex')}`);
}

/** The control socket of a run folder: beside the lock, or under a short name elsewhere where that path is too long. */
export function socketPathFor(run: string, platform: NodeJS.Platform = process.platform): string {
  const hash = createHash('sha256').update(run).digest('hex').slice(0, 24);
  if (platform === 'win32') return `\\\\.\\pipe\\samsa-${hash}`;
  const path = join(run, 'control.sock');
  return Buffer.byteLength(path) < MAX_SOCKET_PATH_BYTES ? path : join(tmpdir(), `samsa-run-${userInfo().uid}`, `${hash}.sock`);
}
