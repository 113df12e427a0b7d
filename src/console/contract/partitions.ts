/**
 * What can be done with the partitions of a topic: elections by request and moves to other brokers, with their progress; and, on a local cluster,
 * how far every replica is, as the brokers themselves measure it. A move begins at once and goes on by itself; `reassignments` tells how far.
 * A throttle that was set here ends with the moves while a console runs; one that was left behind is shown as such.
 */
import { z } from 'zod';
import type { ReplicationAnswer } from '../../introspection/answers/replication.ts';
import type { Failure, ItemResult } from './failure.ts';
import { brokerId, clusterId, existingTopic, partitionId, topicInput } from './inputs.ts';
import { bulk, destroy, read, write } from './procedure.ts';
import type { ProcessState } from './processes.ts';

export type { FollowerState, LocalReplica } from '../../introspection/answers/replication.ts';

export interface PlannedMove {
  readonly partition: number;
  readonly current: readonly number[];
  readonly proposed: readonly number[];
  /** What the added replicas will fetch: the size of the leader's log for each; null when it isn't known. */
  readonly bytesToMove: number | null;
}

export interface ReassignmentRow {
  readonly partition: number;
  readonly targetReplicas: readonly number[];
  readonly addingReplicas: readonly number[];
  readonly removingReplicas: readonly number[];
  readonly isr: readonly number[];
  /** Records that the added replica furthest behind lacks, of how many; by the leader, so null on a remote cluster. */
  readonly lag: number | null;
  readonly records: number | null;
  /** What the added replicas have, of what their leader has for each; by the log dirs, null when a broker doesn't tell or nothing is added. */
  readonly bytes: { readonly copied: number; readonly total: number } | null;
}

/** The throttle of a topic's moves, as `kafka-reassign-partitions --throttle` sets it: lists of the topic, rates of the brokers. */
export interface MoveThrottle {
  /** `partition:broker`, or `*`. */
  readonly leaderReplicas: readonly string[];
  readonly followerReplicas: readonly string[];
  /** Bytes a second of the brokers that have a limit. */
  readonly rates: readonly { readonly brokerId: number; readonly leader: number | null; readonly follower: number | null }[];
  /** This console set it and takes it away when the moves are over. Else it stays until somebody does. */
  readonly endsByItself: boolean;
}

export interface ReplicationBroker {
  readonly brokerId: number;
  readonly state: ProcessState | null;
  readonly answer: ReplicationAnswer | null;
  readonly failure: Failure | null;
}

export interface ReplicationState {
  readonly atMs: number;
  /** Of the whole topic. */
  readonly partitionCount: number;
  readonly brokers: readonly ReplicationBroker[];
}

const partitionIds = z.array(partitionId).min(1).max(10_000);
const somePartitions = z.object({ clusterId, topic: existingTopic, partitions: partitionIds });
const replicaList = z.array(brokerId.min(0)).min(1).max(100);
const bytesPerSecond = z.int().min(1);

export const partitions = {
  /** The first replica leads again, where it is in sync. */
  electPreferred: write.input(somePartitions).output(bulk<readonly ItemResult[]>()),
  /** Any live replica leads where none in sync is alive: records may be lost. */
  electUnclean: destroy.input(somePartitions).output(bulk<readonly ItemResult[]>()),
  /** As few replicas as possible move, and the leaders are spread over the brokers. */
  plan: read
    .input(somePartitions.extend({ brokers: replicaList, replicationFactor: z.int().min(1).max(100) }))
    .output(bulk<readonly PlannedMove[]>()),
  reassign: write
    .input(
      z.object({
        clusterId,
        topic: existingTopic,
        moves: z
          .array(z.object({ partition: partitionId, replicas: replicaList }))
          .min(1)
          .max(10_000),
        /** Holds for these moves only, and ends with them. */
        throttleBytesPerSecond: bytesPerSecond.optional(),
      }),
    )
    .output(bulk<readonly ItemResult[]>()),
  cancelReassignment: write.input(somePartitions).output(bulk<readonly ItemResult[]>()),
  reassignments: read.input(topicInput).output(bulk<readonly ReassignmentRow[]>()),
  /** Null while nothing of the topic is throttled. */
  throttle: read.input(topicInput).output(bulk<MoveThrottle | null>()),
  /** Of the moves of a topic that are under way; null takes away what throttles it, also what was left behind. */
  setThrottle: write.input(z.object({ clusterId, topic: existingTopic, bytesPerSecond: bytesPerSecond.nullable() })).output(bulk<null>()),
  /** The replicas of at most `max` partitions from `from` on, and which of all are furthest behind. Refused on a remote cluster. */
  replication: read.input(topicInput.extend({ from: partitionId, max: z.int().min(1).max(500) })).output(bulk<ReplicationState>()),
};
