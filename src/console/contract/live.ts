/**
 * What changes, as it changes. `changes` is the only stream: small, coalesced events that say what to pull again, never data. A
 * subscriber that is slow gets fewer, larger ones (changes are merged while it doesn't take them), so memory is bounded. `timeline` is pulled.
 */
import { z } from 'zod';
import { clusterId, clusterInput } from './inputs.ts';
import { bulk, read } from './procedure.ts';

export const changeKinds = [
  /** The cluster's status or identity. */
  'cluster',
  /** Broker ids that came, went or changed address; also when the controller moved (the ids of the old and the new one). */
  'brokers',
  /** Process ids whose state changed. */
  'processes',
  /** Topics that were created, deleted or changed partitions. */
  'topics',
  /** Topics whose partitions changed leader, replicas or ISR. */
  'partitions',
  /** Topics whose start or end offsets moved. */
  'offsets',
  /** Topics (`topic:NAME`) or brokers (`broker:1`) whose configs were changed through the console. */
  'configs',
  /** Groups that came, went, or changed state or members. */
  'groups',
  /** Groups whose committed offsets moved. */
  'groupOffsets',
  /** Paths in ZooKeeper whose node or children changed, of those that were read. */
  'znodes',
  /** Timeline entries were added. */
  'timeline',
] as const;
export type ChangeKind = (typeof changeKinds)[number];

export interface Change {
  readonly kind: ChangeKind;
  /** Null: too many to name, or not known which: pull everything of this kind again. */
  readonly ids: readonly string[] | null;
}

export interface ChangeEvent {
  readonly atMs: number;
  readonly changes: readonly Change[];
}

export interface TimelineEntry {
  /** Counts up. */
  readonly sequence: number;
  readonly atMs: number;
  /** `process.started`, `process.exited`, `broker.registered`, `broker.lost`, `controller.elected`, `leader.elected`, `isr.shrunk`, `isr.expanded`, `topic.created`, `topic.deleted`, `group.rebalanced`, … */
  readonly type: string;
  readonly severity: 'info' | 'warning' | 'error';
  /** One line of prose with the reason. */
  readonly text: string;
  readonly brokerId: number | null;
  readonly topic: string | null;
  readonly partition: number | null;
  readonly groupId: string | null;
  readonly processId: string | null;
}

export interface TimelinePage {
  /** Newest last. */
  readonly entries: readonly TimelineEntry[];
  readonly dropped: number;
}

export const live = {
  /** The first event comes at once and names the cluster, so that a page knows the stream stands. */
  changes: read.input(clusterInput).output(bulk<AsyncIteratorObject<ChangeEvent, void, void>>()),
  /** Entries after `after` (0 for the oldest kept), the newest `max` of them. */
  timeline: read
    .input(z.object({ clusterId, after: z.int().min(0).default(0), max: z.int().min(1).max(1000).default(200) }))
    .output(bulk<TimelinePage>()),
};
