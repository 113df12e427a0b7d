/**
 * Looks at what a change of a cluster's make-up (`cluster-change.ts`) would do to what is there: replicas on a broker that is to go, metadata in a
 * ZooKeeper that is to be left, ports that are taken, settings that a broker wouldn't take. What passes is settled and may be written.
 * Replicas are looked for in the log dirs: those are there whether the cluster runs or not.
 */
import { join } from 'node:path';
import type { Processes } from '../runtime/processes.ts';
import { checkBrokerConfig } from './broker-check.ts';
import { brokerConfig, logDirsOf, processIdOf } from './child-config.ts';
import { planChange } from './cluster-change.ts';
import type { ClusterChange } from './cluster-change.ts';
import type { BrokerSpec, ClusterSpec } from './cluster-spec.ts';
import { ControlError } from './control-contract.ts';
import type { DataFolder } from './data-folder.ts';
import type { ClusterRuntime } from './local-cluster.ts';
import { choosePorts, describeTakenPort } from './ports.ts';
import { childCommand } from './process-entry.ts';

export interface ChangeContext {
  readonly runtime: ClusterRuntime;
  readonly processes: Processes;
  readonly folder: DataFolder;
  /** Another program than our own for brokers. */
  readonly brokerEntry?: string | undefined;
  /** Whether the process is there, or will be started again by itself. */
  isUp(processId: string): boolean;
}

export interface SettledChange {
  readonly spec: ClusterSpec;
  /** Nothing lies on them, but they may run. */
  readonly removed: readonly BrokerSpec[];
  /** To be deleted before the spec is used: what would bind its folders to a cluster or ZooKeeper that they leave. */
  readonly leftBehind: readonly string[];
}

/** How many topics a refusal names. */
const MAX_NAMED = 8;
/** `-future` is a copy that is being made, `-stray` one that may yet be wanted; `-delete` is on its way out. */
const REPLICA_FOLDER = /^(.+)-\d+(?:\.[0-9a-f]{32}-(?:future|stray))?$/;

/** Rejects with `SpecError`, `NoFreePortError`, or `ControlError` ('refused', 'bad-request') that says what is in the way. Changes nothing. */
export async function settleChange(context: ChangeContext, before: ClusterSpec, change: ClusterChange): Promise<SettledChange> {
  const { folder } = context;
  const plan = planChange(before, change);
  for (const broker of plan.removed) refuseIfHolding(context, before, broker);
  const leftBehind = plan.removed.flatMap((broker) => logDirsOf(before, broker, folder));
  if (plan.zookeeper !== 'same') {
    const up = [...before.brokers.map(processIdOf), 'zookeeper'].filter((id) => context.isUp(id));
    if (up.length > 0)
      throw new ControlError('refused', `ZooKeeper can only be changed while the cluster is stopped; ${up.join(', ')} run: stop it first`);
  }
  if (plan.zookeeper === 'other') leftBehind.push(...boundToZooKeeper(context, before));
  const spec = await withFreePorts(context, before, plan.spec, plan.movable);
  if (change.config !== undefined) await checkSettings(context, spec);
  return { spec, removed: plan.removed, leftBehind };
}

/** Throws `ControlError` ('refused') that names the topics with replicas on the broker. */
export function refuseIfHolding(context: ChangeContext, spec: ClusterSpec, broker: BrokerSpec): void {
  const topics = topicsIn(context, logDirsOf(spec, broker, context.folder));
  if (topics.length === 0) return;
  throw new ControlError(
    'refused',
    `broker ${broker.id} can't be removed: it has replicas of ${named(topics)}. Move them to other brokers first (Partitions, Reassign), or delete the topics`,
  );
}

/** What lies in the folders knows another cluster id than a new ZooKeeper would give, and the new one nothing of what lies there. */
function boundToZooKeeper(context: ChangeContext, spec: ClusterSpec): string[] {
  const { folder, runtime } = context;
  const dirs = spec.brokers.flatMap((broker) => logDirsOf(spec, broker, folder));
  const topics = topicsIn(context, dirs);
  if (topics.length > 0)
    throw new ControlError(
      'refused',
      `ZooKeeper can't be exchanged: topics, configurations and ACLs are kept in it, and another one knows nothing of ${named(topics)}. Delete the topics first, or make a new cluster`,
    );
  const sessions = spec.brokers.map((broker) => folder.session(processIdOf(broker)));
  return [...dirs, ...(spec.zookeeper.kind === 'embedded' ? [folder.zookeeper] : []), ...sessions].filter((path) =>
    runtime.disk.exists(path),
  );
}

function topicsIn({ runtime: { disk } }: ChangeContext, dirs: readonly string[]): string[] {
  const topics = new Set<string>();
  for (const dir of dirs.filter((path) => disk.exists(path)))
    for (const { name } of disk.list(dir)) {
      const topic = REPLICA_FOLDER.exec(name)?.[1];
      if (topic !== undefined) topics.add(topic);
    }
  return Array.from(topics).toSorted();
}

function named(topics: readonly string[]): string {
  const more = topics.length - MAX_NAMED;
  return `${topics.slice(0, MAX_NAMED).join(', ')}${more > 0 ? ` and ${more} more topics` : ''}`;
}

/** Ports that a process has already are its own; others are looked at. Throws `ControlError` for one that was asked for and is taken. */
async function withFreePorts(
  { runtime, processes }: ChangeContext,
  before: ClusterSpec,
  after: ClusterSpec,
  movable: ReadonlySet<string>,
): Promise<ClusterSpec> {
  const had = portsOf(before);
  const wanted = new Map(Array.from(portsOf(after)).filter(([id, port]) => had.get(id) !== port));
  const { ports, moved } = await choosePorts(runtime, wanted, (port) => processes.portHolder(port));
  const taken = moved.find(({ processId }) => !movable.has(processId));
  if (taken !== undefined) throw new ControlError('refused', `${taken.processId} can't have its port: ${describeTakenPort(taken)}`);
  const { zookeeper } = after;
  return {
    ...after,
    brokers: after.brokers.map((broker) => ({ ...broker, port: ports.get(processIdOf(broker)) ?? broker.port })),
    zookeeper: zookeeper.kind === 'external' ? zookeeper : { ...zookeeper, port: ports.get('zookeeper') ?? zookeeper.port },
  };
}

function portsOf(spec: ClusterSpec): Map<string, number> {
  const ports = new Map(spec.brokers.map((broker) => [processIdOf(broker), broker.port]));
  if (spec.zookeeper.kind === 'embedded') ports.set('zookeeper', spec.zookeeper.port);
  return ports;
}

async function checkSettings({ runtime, processes, folder, brokerEntry }: ChangeContext, spec: ClusterSpec): Promise<void> {
  const [first] = spec.brokers;
  if (first === undefined) return;
  const path = join(folder.run, 'settings-check.json');
  await checkBrokerConfig(
    {
      scheduler: runtime.scheduler,
      processes,
      prepare: (config) => {
        runtime.disk.writeFile(path, JSON.stringify(config));
        return childCommand('broker', path, brokerEntry);
      },
    },
    brokerConfig(runtime.disk, spec, first, folder),
  );
}

/** Deletes what a settled change leaves behind. */
export async function removeLeftBehind(
  { runtime: { disk } }: Pick<ChangeContext, 'runtime'>,
  { leftBehind }: SettledChange,
): Promise<void> {
  for (const path of leftBehind) if (disk.exists(path)) await disk.removeTreeAsync(path);
}
