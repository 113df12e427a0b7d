/**
 * The door of this folder: a local cluster in one call, for `samsa up`, the app, and anybody's tests:
 *
 *     const cluster = await startCluster({ brokers: 3, ephemeral: true, basePort: 0 });
 *     // cluster.bootstrapServers, cluster.broker(1).kill(), …
 *     await cluster.stop();
 *
 * `openCluster` stops before the processes are started, for those who want to watch that. The children end with this
 * process, however it ends; what they leave behind the next start puts in order.
 */
import type { Logger } from '../runtime/logger.ts';
import { createNodeRuntime } from '../runtime/node/node-runtime.ts';
import { silentLogger } from '../runtime/node/node-logger.ts';
import { nodeProcesses } from '../runtime/node/node-processes.ts';
import type { Processes } from '../runtime/processes.ts';
import { processIdOf } from './child-config.ts';
import {
  checkClusterSpec,
  DEFAULT_BASE_PORT,
  DEFAULT_ZOOKEEPER_PORT,
  newClusterSpec,
  readClusterSpec,
  withBrokerCount,
  withLogDirs,
  writeClusterSpec,
} from './cluster-spec.ts';
import type { ClusterSpec, ZooKeeperSpec } from './cluster-spec.ts';
import { connectControl } from './control-client.ts';
import type { ControlClient } from './control-client.ts';
import { ControlError } from './control-contract.ts';
import { dataFolderAt, defaultHome, makeDataFolder, temporaryHome } from './data-folder.ts';
import { closeDeadSession } from './dead-session.ts';
import { acquireFolderLock, findHolder } from './folder-lock.ts';
import { ChildRecords } from './leftover-children.ts';
import { LocalCluster } from './local-cluster.ts';
import type { ClusterRuntime } from './local-cluster.ts';
import type { ManagedProcessOptions } from './managed-process.ts';
import { choosePorts } from './ports.ts';
import type { ChosenPorts } from './ports.ts';

export type RunningCluster = LocalCluster;

export interface OpenClusterOptions {
  /** Default: what the data folder has, else 3. */
  readonly brokers?: number;
  /** In a temporary folder that is removed at the end. */
  readonly ephemeral?: boolean;
  /** Default: SAMSA_HOME, else the platform's data folder. */
  readonly home?: string;
  /** The first broker's port; 0 for any free ports, ZooKeeper's too. Default: what the data folder has, else 9092. */
  readonly basePort?: number;
  /** Kafka's keys for all brokers; kept in the data folder. */
  readonly config?: Readonly<Record<string, string>>;
  /** How many log dirs each broker has. Default: what the data folder has, else 1. */
  readonly logDirs?: number;
  /** Default: what the data folder has, else embedded on 2181. */
  readonly zookeeper?: { readonly port: number } | { readonly connect: string };
  readonly logger?: Logger;
  readonly runtime?: ClusterRuntime;
  readonly processes?: Processes;
  readonly processOptions?: Partial<ManagedProcessOptions>;
  /** Other programs than our own for the children, by path. */
  readonly entries?: { readonly broker?: string; readonly zookeeper?: string };
}

export interface StartClusterOptions extends OpenClusterOptions {
  /** Until all processes are ready. Default 60,000 ms. */
  readonly startTimeoutMs?: number;
}

/** The data folder is in use. When its holder answers, attach to it (`attachToCluster`). */
export class ClusterHeldError extends Error {
  readonly pid: number;
  readonly answers: boolean;
  readonly home: string;

  constructor(home: string, pid: number, answers: boolean) {
    super(
      answers
        ? `a cluster runs in ${home} already (supervisor: process ${pid})`
        : `${home} is held by process ${pid}, which does not answer; end that process or use another folder`,
    );
    this.name = 'ClusterHeldError';
    this.pid = pid;
    this.answers = answers;
    this.home = home;
  }
}

const STOP_TIMEOUT_MS = 10_000;
const START_TIMEOUT_MS = 60_000;
const LEFTOVER_PATIENCE_MS = 5_000;

/**
 * Opens a cluster and starts it; resolves when all its processes are ready. Rejects, with nothing left running, with
 * `ClusterHeldError`, `SpecError`, `NoFreePortError`, or `ControlError` for a process that can't be started.
 */
export async function startCluster(options: StartClusterOptions = {}): Promise<RunningCluster> {
  const cluster = await openCluster(options);
  const { promise: tooLate, reject } = Promise.withResolvers<never>();
  const startTimeoutMs = options.startTimeoutMs ?? START_TIMEOUT_MS;
  const { scheduler } = runtimeOf(options);
  const timer = scheduler.after(startTimeoutMs, () => reject(new ControlError('timeout', notReadyAfter(cluster, startTimeoutMs))));
  try {
    await Promise.race([cluster.start(), tooLate]);
    return cluster;
  } catch (error) {
    await cluster.stopHard();
    throw error;
  } finally {
    timer.cancel();
  }
}

/** Takes the data folder, settles spec and ports, and answers on the control socket. Nothing is started. Rejects as `startCluster`. */
export async function openCluster(options: OpenClusterOptions = {}): Promise<LocalCluster> {
  const runtime = runtimeOf(options);
  const processes = options.processes ?? nodeProcesses;
  const ephemeral = options.ephemeral ?? false;
  const home = ephemeral ? temporaryHome(runtime.random) : (options.home ?? defaultHome());
  const folder = dataFolderAt(home);
  makeDataFolder(runtime.disk, folder);
  const result = await acquireFolderLock({ runtime, processes, lockFile: folder.lock, socketPath: folder.socket });
  if (result.outcome !== 'acquired') throw new ClusterHeldError(folder.home, result.pid, result.outcome === 'held');
  const { lock } = result;
  try {
    const children = new ChildRecords({ ...runtime, processes }, folder.children);
    await children.waitForLeftovers(LEFTOVER_PATIENCE_MS);
    const existing = readClusterSpec(runtime.disk, folder.spec);
    const wanted = specFor(options, existing);
    const chosen = await choosePorts(runtime, wantedPorts(wanted, options), (port) => processes.portHolder(port));
    const spec = withPorts(wanted, chosen);
    // New settings are kept once the cluster has started with them: a bad one must not spoil the folder.
    writeClusterSpec(runtime.disk, folder.spec, { ...spec, config: existing?.config ?? {} });
    return new LocalCluster({
      runtime,
      processes,
      folder,
      spec,
      lock,
      children,
      movedPorts: chosen.moved,
      ephemeral,
      processOptions: { stopTimeoutMs: STOP_TIMEOUT_MS, ...options.processOptions },
      entries: options.entries ?? {},
      keepSpec: (kept) => writeClusterSpec(runtime.disk, folder.spec, kept),
      closeDeadSession: (sessionFile, zookeeperConnect) => closeDeadSession(runtime, sessionFile, zookeeperConnect),
    });
  } catch (error) {
    await lock.release();
    if (ephemeral) await runtime.disk.removeTreeAsync(home);
    throw error;
  }
}

/** The control of the cluster that runs in `home`; undefined when none does. Rejects with `ControlError`. */
export async function attachToCluster(
  options: Pick<OpenClusterOptions, 'home' | 'runtime' | 'logger'> = {},
): Promise<ControlClient | undefined> {
  const runtime = runtimeOf(options);
  const folder = dataFolderAt(options.home ?? defaultHome());
  const pid = await findHolder({ runtime, processes: nodeProcesses, lockFile: folder.lock, socketPath: folder.socket });
  return pid === undefined ? undefined : connectControl({ runtime, socketPath: folder.socket });
}

function specFor(options: OpenClusterOptions, existing: ClusterSpec | undefined): ClusterSpec {
  const { brokers, basePort, config, logDirs } = options;
  const zookeeper = options.zookeeper === undefined ? undefined : zookeeperSpecOf(options.zookeeper);
  if (existing === undefined) {
    return newClusterSpec({
      ...(brokers === undefined ? {} : { brokers }),
      ...(basePort === undefined || basePort === 0 ? {} : { basePort }),
      ...(config === undefined ? {} : { config }),
      ...(logDirs === undefined ? {} : { logDirsPerBroker: logDirs }),
      ...(zookeeper === undefined ? {} : { zookeeper }),
    });
  }
  const counted = brokers === undefined ? existing : withBrokerCount(existing, brokers);
  const grown = logDirs === undefined ? counted : withLogDirs(counted, logDirs);
  const rebased =
    basePort === undefined || basePort === 0
      ? grown.brokers
      : grown.brokers.map((broker, index) => ({ ...broker, port: basePort + index }));
  const changed = { ...grown, brokers: rebased, config: { ...grown.config, ...config }, zookeeper: zookeeper ?? grown.zookeeper };
  return checkClusterSpec(changed, 'the cluster');
}

function zookeeperSpecOf(zookeeper: { readonly port: number } | { readonly connect: string }): ZooKeeperSpec {
  if ('connect' in zookeeper) return { kind: 'external', connect: zookeeper.connect };
  return { kind: 'embedded', port: zookeeper.port === 0 ? DEFAULT_ZOOKEEPER_PORT : zookeeper.port };
}

function wantedPorts(spec: ClusterSpec, options: OpenClusterOptions): Map<string, number> {
  const anyPorts = options.basePort === 0;
  const anyZooKeeper = options.zookeeper === undefined ? anyPorts : 'port' in options.zookeeper && options.zookeeper.port === 0;
  const wanted = new Map<string, number>();
  if (spec.zookeeper.kind === 'embedded') wanted.set('zookeeper', anyZooKeeper ? 0 : spec.zookeeper.port);
  for (const broker of spec.brokers) wanted.set(processIdOf(broker), anyPorts ? 0 : broker.port);
  return wanted;
}

function withPorts(spec: ClusterSpec, { ports }: ChosenPorts): ClusterSpec {
  const { zookeeper } = spec;
  return {
    ...spec,
    brokers: spec.brokers.map((broker) => ({ ...broker, port: ports.get(processIdOf(broker)) ?? DEFAULT_BASE_PORT })),
    zookeeper: zookeeper.kind === 'external' ? zookeeper : { ...zookeeper, port: ports.get('zookeeper') ?? zookeeper.port },
  };
}

function notReadyAfter(cluster: LocalCluster, startTimeoutMs: number): string {
  const late = cluster.processes().filter(({ state }) => state !== 'running');
  const each = late.map(({ id, state, reason }) => `${id} is ${state}${reason === null ? '' : ` (${reason})`}`);
  return `not ready within ${startTimeoutMs} ms: ${each.join('; ')}`;
}

function runtimeOf(options: Pick<OpenClusterOptions, 'runtime' | 'logger'>): ClusterRuntime {
  return options.runtime ?? createNodeRuntime(options.logger ?? silentLogger);
}
