/**
 * Topics. The list is pulled: `open` gives the count, `next` the rows in the order asked for; rows are cheap (one Metadata
 * request for all). `details` gives the dear columns (records, size, cleanup policy) for the names on screen. After a change event
 * `rows` gives the rows of the topics it names; one that is gone is missing from the answer.
 */
import { z } from 'zod';
import {
  clusterId,
  clusterInput,
  existingTopic,
  nameFilter,
  nextInput,
  partitionId,
  readerInput,
  topicInput,
  topicName,
} from './inputs.ts';
import { configChange } from './configs.ts';
import type { ConfigEntry, TopicConfigSpec } from './configs.ts';
import type { Failure, ItemResult } from './failure.ts';
import { bulk, destroy, read, write } from './procedure.ts';

export interface TopicRow {
  readonly name: string;
  readonly topicId: string | null;
  readonly internal: boolean;
  readonly partitions: number;
  /** Of the partition with the most replicas. */
  readonly replicationFactor: number;
  readonly underReplicatedPartitions: number;
  readonly leaderlessPartitions: number;
  /** The broker's answer for this topic when it was an error. */
  readonly failure: Failure | null;
}

export interface TopicDetails {
  readonly name: string;
  /** Sum of end minus start offset: an upper bound when compacted or transactional. */
  readonly records: number | null;
  /** On disk, all replicas on brokers that told. */
  readonly sizeBytes: number | null;
  /** A broker that holds replicas did not tell: the size is at least that. */
  readonly sizeIsPartial: boolean;
  readonly cleanupPolicy: string | null;
  readonly recordsPerSecond: number | null;
  /** Groups that have committed offsets of the topic, the one furthest behind first; null when the groups could not be asked (in time). */
  readonly groups: readonly TopicReader[] | null;
  readonly failure: Failure | null;
}

/** A group and how far behind it is on one topic. */
export interface TopicReader {
  readonly groupId: string;
  readonly lag: number | null;
}

export interface TopicPage {
  readonly rows: readonly TopicRow[];
  readonly done: boolean;
}

export interface OpenedList {
  readonly readerId: string;
  /** Rows that the filter lets through. */
  readonly count: number;
  /** Rows there are without the filter. */
  readonly total: number;
  readonly asOfMs: number;
}

export interface PartitionRow {
  readonly partition: number;
  /** Null: leaderless. */
  readonly leader: number | null;
  readonly leaderEpoch: number | null;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  readonly offlineReplicas: readonly number[];
  readonly startOffset: number | null;
  /** The high watermark: the end for consumers. */
  readonly endOffset: number | null;
  /** Of the leader's replica. */
  readonly sizeBytes: number | null;
  readonly failure: Failure | null;
}

export interface TopicGet {
  readonly topic: TopicRow;
  readonly partitions: readonly PartitionRow[];
}

export interface TopicGroup {
  readonly groupId: string;
  readonly state: string | null;
  readonly members: number | null;
  readonly lag: number | null;
}

/** What deleting a topic touches. */
export interface TopicImpact {
  readonly name: string;
  readonly partitions: number | null;
  readonly records: number | null;
  readonly sizeBytes: number | null;
  /** Groups with members that have committed offsets of the topic or are assigned its partitions. */
  readonly activeGroups: readonly string[];
}

export interface CreatedTopic {
  readonly name: string;
  readonly topicId: string | null;
  readonly partitions: number | null;
  readonly replicationFactor: number | null;
}

const configMap = z.record(z.string().min(1).max(256), z.string().max(32_768));

export const topics = {
  open: read
    .input(
      z.object({
        clusterId,
        includeInternal: z.boolean().default(false),
        filter: nameFilter.optional(),
        sort: z
          .object({
            by: z.enum(['name', 'partitions', 'replicationFactor', 'underReplicatedPartitions', 'leaderlessPartitions']),
            descending: z.boolean(),
          })
          .default({ by: 'name', descending: false }),
      }),
    )
    .output(bulk<OpenedList>()),
  next: read.input(nextInput).output(bulk<TopicPage>()),
  close: read.input(readerInput).output(bulk<null>()),
  rows: read.input(z.object({ clusterId, names: z.array(existingTopic).max(1000) })).output(bulk<readonly TopicRow[]>()),
  details: read.input(z.object({ clusterId, names: z.array(existingTopic).max(500) })).output(bulk<readonly TopicDetails[]>()),
  get: read.input(topicInput).output(bulk<TopicGet>()),
  groups: read.input(topicInput).output(bulk<readonly TopicGroup[]>()),
  impact: read.input(z.object({ clusterId, names: z.array(existingTopic).min(1).max(1000) })).output(bulk<readonly TopicImpact[]>()),
  configs: read.input(topicInput).output(bulk<readonly ConfigEntry[]>()),
  /** Every topic config there is, explained: for the create dialog and the docs on the configs page. */
  configCatalog: read.input(clusterInput).output(bulk<readonly TopicConfigSpec[]>()),
  /** With `validateOnly` the broker checks and creates nothing. Null partitions or factor mean the broker's default. */
  create: write
    .input(
      z.object({
        clusterId,
        name: topicName,
        partitions: z.int().min(1).max(10_000).nullable().default(null),
        replicationFactor: z.int().min(1).max(32_767).nullable().default(null),
        /** Partition index to broker ids, the first the preferred leader; excludes the two above. */
        assignment: z
          .array(z.array(z.int().min(0)).min(1).max(100))
          .min(1)
          .max(10_000)
          .optional(),
        configs: configMap.default({}),
        validateOnly: z.boolean().default(false),
      }),
    )
    .output(bulk<CreatedTopic>()),
  /** To `count` partitions in all. */
  createPartitions: write
    .input(z.object({ clusterId, topic: existingTopic, count: partitionId.min(1), validateOnly: z.boolean().default(false) }))
    .output(bulk<null>()),
  alterConfigs: write
    .input(
      z.object({
        clusterId,
        topic: existingTopic,
        changes: z.array(configChange).min(1).max(100),
        validateOnly: z.boolean().default(false),
      }),
    )
    .output(bulk<null>()),
  delete: destroy.input(z.object({ clusterId, names: z.array(existingTopic).min(1).max(1000) })).output(bulk<readonly ItemResult[]>()),
};
