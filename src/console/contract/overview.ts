/** The first page: counts, health and traffic of one cluster, in one small answer. An unknown number is null. */
import { clusterInput } from './inputs.ts';
import type { ClusterStatus } from './clusters.ts';
import type { Failure } from './failure.ts';
import { bulk, read } from './procedure.ts';

export interface OverviewBroker {
  readonly brokerId: number;
  readonly host: string;
  readonly port: number;
  readonly isController: boolean;
  /** Registered in the cluster's metadata. */
  readonly online: boolean;
  readonly processId: string | null;
}

export interface Overview {
  readonly status: ClusterStatus;
  readonly kafkaClusterId: string | null;
  readonly controllerId: number | null;
  readonly brokers: readonly OverviewBroker[];
  readonly topics: number | null;
  readonly internalTopics: number | null;
  readonly partitions: number | null;
  readonly underReplicatedPartitions: number | null;
  /** Fewer in-sync replicas than `min.insync.replicas` is not known from metadata: this counts partitions without a leader. */
  readonly offlinePartitions: number | null;
  readonly groups: number | null;
  /** Records appended per second over the last seconds, from end offsets; null until two samples are there. */
  readonly recordsPerSecond: number | null;
  /** On disk, all replicas on brokers that told. */
  readonly sizeBytes: number | null;
  /** A broker that holds replicas did not tell: the size is at least that. */
  readonly sizeIsPartial: boolean;
  /** What could not be had, and why; the rest is shown all the same. */
  readonly failures: readonly Failure[];
}

export const overview = {
  get: read.input(clusterInput).output(bulk<Overview>()),
};
