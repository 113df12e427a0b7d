/** The brokers of a cluster: what metadata and log dirs say of each, and for a local cluster its process. */
import { z } from 'zod';
import { brokerId, clusterId, clusterInput, existingTopic, partitionId } from './inputs.ts';
import { configChange } from './configs.ts';
import type { ConfigEntry } from './configs.ts';
import type { Failure, ItemResult } from './failure.ts';
import type { ProcessStatus } from './processes.ts';
import { bulk, read, write } from './procedure.ts';

export interface BrokerRow {
  readonly brokerId: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
  readonly isController: boolean;
  /** Registered in the cluster's metadata. A local broker that is down has a row too, with `online: false`. */
  readonly online: boolean;
  readonly leaders: number | null;
  readonly replicas: number | null;
  /** Replicas that this broker should have in sync and that are not. */
  readonly outOfSync: number | null;
  /** Leaders above (or below, negative) an even share, in per cent. */
  readonly leaderSkewPercent: number | null;
  readonly process: ProcessStatus | null;
}

/** The dear columns, one DescribeLogDirs per broker, asked for after the rows. */
export interface BrokerSize {
  readonly brokerId: number;
  readonly sizeBytes: number | null;
  readonly failure: Failure | null;
}

export interface ApiVersionRange {
  readonly key: number;
  readonly name: string;
  readonly min: number;
  readonly max: number;
}

export interface LogDir {
  readonly path: string;
  readonly sizeBytes: number | null;
  readonly replicas: number;
  readonly totalBytes: number | null;
  readonly usableBytes: number | null;
  readonly failure: Failure | null;
}

export interface BrokerPartition {
  readonly topic: string;
  readonly partition: number;
  readonly role: 'leader' | 'follower';
  readonly inSync: boolean;
}

/** Where a replica lies, and where it is going. The dear columns of a broker's partitions. */
export interface ReplicaPlace {
  readonly topic: string;
  readonly partition: number;
  readonly logDir: string;
  readonly sizeBytes: number;
  /** Being copied to another log dir of the broker; null when it isn't. */
  readonly move: { readonly logDir: string; readonly copiedBytes: number; readonly lag: number } | null;
}

export interface BrokerReplicas {
  /** By path; those that failed are left out. */
  readonly logDirs: readonly LogDir[];
  readonly replicas: readonly ReplicaPlace[];
  /** `replica.alter.log.dirs.io.max.bytes.per.second`, where it is set: it stays when the moves are over. */
  readonly throttleBytesPerSecond: number | null;
}

export interface BrokerDetail {
  readonly broker: BrokerRow;
  readonly apiVersions: readonly ApiVersionRange[] | null;
  readonly logDirs: readonly LogDir[] | null;
  readonly failures: readonly Failure[];
}

const brokerInput = z.object({ clusterId, brokerId });

export const brokers = {
  list: read.input(clusterInput).output(bulk<readonly BrokerRow[]>()),
  sizes: read.input(clusterInput).output(bulk<readonly BrokerSize[]>()),
  get: read.input(brokerInput).output(bulk<BrokerDetail>()),
  partitions: read.input(brokerInput).output(bulk<readonly BrokerPartition[]>()),
  replicas: read.input(brokerInput).output(bulk<BrokerReplicas>()),
  /** Begins at once and goes on by itself. To the log dir where a replica lies: gives its move up. */
  moveReplicas: write
    .input(
      z.object({
        clusterId,
        brokerId,
        moves: z
          .array(z.object({ topic: existingTopic, partition: partitionId, logDir: z.string().min(1).max(4096) }))
          .min(1)
          .max(10_000),
      }),
    )
    .output(bulk<readonly ItemResult[]>()),
  /** Of its moves between log dirs; null takes it away. */
  throttleMoves: write.input(z.object({ clusterId, brokerId, bytesPerSecond: z.int().min(1).nullable() })).output(bulk<null>()),
  configs: read.input(brokerInput).output(bulk<readonly ConfigEntry[]>()),
  alterConfigs: write
    .input(z.object({ clusterId, brokerId, changes: z.array(configChange).min(1).max(100), validateOnly: z.boolean().default(false) }))
    .output(bulk<null>()),
};
