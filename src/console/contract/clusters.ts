/** The clusters the console knows, how each is, and what can be done with it. The local one has the id `local`. */
import { clusterInput } from './inputs.ts';
import { bulk, read } from './procedure.ts';

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
  readonly supervisorPid: number | null;
}

export interface ClusterDetail extends ClusterSummary {
  /** Kafka's cluster id, from DescribeCluster. */
  readonly kafkaClusterId: string | null;
  readonly capabilities: readonly Capability[];
  /** Null for a remote cluster. */
  readonly local: LocalClusterDetails | null;
}

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
  /** Refused on a remote cluster. */
  zookeeper: read.input(clusterInput).output(bulk<ClusterZooKeeper>()),
};
