/** The clusters the console knows, how each is, and what can be done with it. The local one has the id `local`. */
import { z } from 'zod';
import { clusterInput } from './inputs.ts';
import { bulk, destroy, manage, read, write } from './procedure.ts';

export const LOCAL_CLUSTER_ID = 'local';

export type Environment = 'local' | 'dev' | 'test' | 'prod';

export type ClusterState =
  /** Processes are being started; some may answer already. */
  | 'starting'
  /** Every broker that should run does, and answers. */
  | 'running'
  /** Answers, but a broker that should run does not, or partitions are offline. */
  | 'degraded'
  | 'stopping'
  | 'stopped'
  /** No broker answers; `message` says what was tried. */
  | 'unreachable';

export interface ClusterStatus {
  readonly state: ClusterState;
  /** One line of prose: why it is not simply running; null when there is nothing to say. */
  readonly message: string | null;
  /** Wall clock, when this was known to be so. */
  readonly asOfMs: number;
}

export interface ClusterSummary {
  readonly id: string;
  readonly name: string;
  readonly kind: 'local' | 'remote';
  readonly environment: Environment;
  /** Writes are refused behind the contract. */
  readonly readOnly: boolean;
  /** A name of the palette (`teal`, `amber`, …), not a CSS colour. */
  readonly color: string;
  readonly bootstrapServers: string;
  readonly status: ClusterStatus;
}

/** What a page or action needs. A feature that is not supported stays visible, disabled, with `reason`. */
export const features = [
  'topics.create',
  'topics.delete',
  'topics.createPartitions',
  'topics.alterConfigs',
  'partitions.elect',
  'partitions.reassign',
  'brokers.alterConfigs',
  'brokers.moveReplicas',
  'groups.delete',
  'groups.alterOffsets',
  'logDirs',
  'processes',
  'segments',
  'flushLab',
  'replication',
  'timeline',
  'acls',
  'users',
  'quotas',
  'controller',
  'internals',
] as const;
export type Feature = (typeof features)[number];

export interface Capability {
  readonly feature: Feature;
  readonly supported: boolean;
  /** Which API at which version is missing, or that it is not built yet; null when supported. */
  readonly reason: string | null;
}

export interface LocalClusterDetails {
  /** The data folder of the cluster. */
  readonly dataFolder: string | null;
  readonly zookeeperConnect: string | null;
  readonly ephemeral: boolean;
  /** Null while it is stopped. */
  readonly supervisorPid: number | null;
  /** The cluster of the console's own data folder, which ends with it; false for one that was made beside it. */
  readonly isOwn: boolean;
}

export interface ClusterDetail extends ClusterSummary {
  /** Kafka's cluster id, from DescribeCluster. */
  readonly kafkaClusterId: string | null;
  readonly capabilities: readonly Capability[];
  /** Null for a remote cluster. */
  readonly local: LocalClusterDetails | null;
}

/** One step of trying a ZooKeeper that runs elsewhere. The first that fails is the last, but for servers of an ensemble. */
export interface ZooKeeperCheckStep {
  readonly step: 'address' | 'host' | 'connection' | 'server' | 'session' | 'chroot' | 'kafka';
  /** The server that it is about; null for the ensemble. */
  readonly address: string | null;
  readonly outcome: 'ok' | 'warning' | 'failed';
  readonly detail: string;
}

const port = z.int().min(1).max(65_535);
const connect = z.string().min(1).max(1_000);
/** A cluster to be made on this machine. Ports that are null are any free ones; they are kept. */
export const newLocalCluster = z.object({
  name: z.string().min(1).max(40),
  brokers: z.int().min(1).max(32),
  basePort: port.nullable(),
  logDirsPerBroker: z.int().min(1).max(8),
  zookeeper: z.union([
    z.object({ kind: z.literal('embedded'), port: port.nullable() }),
    z.object({ kind: z.literal('external'), connect }),
  ]),
});

/** What a local cluster is made of, as it is kept: a process that awaits its restart still runs as before. */
export interface ClusterMakeUp {
  readonly name: string;
  readonly brokers: readonly { readonly id: number; readonly port: number }[];
  readonly logDirsPerBroker: number;
  readonly zookeeper: { readonly kind: 'embedded'; readonly port: number } | { readonly kind: 'external'; readonly connect: string };
  /** Static settings of all brokers, over the defaults of a local cluster. */
  readonly config: Readonly<Record<string, string>>;
}

/** What isn't named stays as it is. */
export const clusterChange = z.object({
  name: z.string().min(1).max(40).exactOptional(),
  /** All there shall be: one that isn't named is removed, a new one has no id. Without a port: the one it has, or any free one. */
  brokers: z
    .array(z.object({ id: z.int().min(0).nullable(), port: port.nullable() }))
    .max(32)
    .exactOptional(),
  logDirsPerBroker: z.int().min(1).max(8).exactOptional(),
  zookeeper: newLocalCluster.shape.zookeeper.exactOptional(),
  /** Null: back to the default of a local cluster. */
  config: z.record(z.string().min(1).max(200), z.string().max(10_000).nullable()).exactOptional(),
});

/** Where a local cluster's ZooKeeper is, and what each of its servers says of itself when asked. */
export interface ClusterZooKeeper {
  /** Embedded: one of the cluster's own processes. External: it runs elsewhere. */
  readonly kind: 'embedded' | 'external';
  readonly connect: string;
  readonly servers: readonly {
    readonly address: string;
    readonly reachable: boolean;
    /** `standalone`, `leader`, `follower`, …; null when it doesn't tell. */
    readonly mode: string | null;
    readonly version: string | null;
    /** Why it isn't reachable, or what it says in place of its state. */
    readonly problem: string | null;
  }[];
}

export const clusters = {
  list: read.output(bulk<readonly ClusterSummary[]>()),
  get: read.input(clusterInput).output(bulk<ClusterDetail>()),
  /** Makes a further local cluster and begins to start it. Gives its id. */
  create: manage.input(newLocalCluster).output(bulk<{ readonly id: string }>()),
  /** Starts what doesn't run of a local cluster; how it comes up is told by its status. */
  start: write.input(clusterInput).output(bulk<null>()),
  /** Stops all processes of a local cluster in order. Resolves when they have ended. */
  stop: write.input(clusterInput).output(bulk<null>()),
  /** Stops a local cluster and deletes its data folder. Refused for the console's own. */
  remove: destroy.input(clusterInput).output(bulk<null>()),
  makeUp: read.input(clusterInput).output(bulk<ClusterMakeUp>()),
  /**
   * Changes what a local cluster is made of. Added brokers are started where others run, removed ones (nothing may lie on them) stopped; whatever else
   * runs has its part when it is restarted: `awaitRestart` names those, and with `restart` they are restarted one after another.
   */
  change: write
    .input(clusterInput.extend({ change: clusterChange, restart: z.boolean() }))
    .output(bulk<{ readonly awaitRestart: readonly string[] }>()),
  /** Tries it from this machine; changes nothing there. */
  checkZooKeeper: read.input(z.object({ connect })).output(bulk<readonly ZooKeeperCheckStep[]>()),
  /** Refused on a remote cluster. */
  zookeeper: read.input(clusterInput).output(bulk<ClusterZooKeeper>()),
};
