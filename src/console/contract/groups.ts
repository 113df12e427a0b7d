/**
 * Consumer groups. The list is pulled like the topics' one; a row comes from ListGroups (one request per broker), the dear columns
 * (members, topics, lag) from batched DescribeGroups and OffsetFetch for the names on screen. An unknown offset or lag is null, never 0.
 */
import { z } from 'zod';
import { clusterId, groupId, nameFilter, nextInput, readerInput } from './inputs.ts';
import type { Failure, ItemResult } from './failure.ts';
import type { OpenedList } from './topics.ts';
import { bulk, destroy, read } from './procedure.ts';

export interface GroupRow {
  readonly groupId: string;
  /** Kafka's: Stable, Empty, PreparingRebalance, CompletingRebalance, Dead; null when the broker doesn't say in the list. */
  readonly state: string | null;
  readonly protocolType: string;
  readonly coordinatorId: number | null;
}

export interface GroupPage {
  readonly rows: readonly GroupRow[];
  readonly done: boolean;
}

export interface GroupDetails {
  readonly groupId: string;
  readonly state: string | null;
  readonly members: number | null;
  readonly topics: readonly string[] | null;
  /** Sum over partitions whose committed and end offsets are known; null when none is. */
  readonly lag: number | null;
  readonly failure: Failure | null;
}

export interface GroupMember {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly host: string;
  /** Null when the assignment isn't of the `consumer` protocol type or can't be read. */
  readonly assignment: readonly { readonly topic: string; readonly partitions: readonly number[] }[] | null;
}

export interface GroupOffset {
  readonly topic: string;
  readonly partition: number;
  readonly committedOffset: number | null;
  readonly committedLeaderEpoch: number | null;
  readonly metadata: string | null;
  readonly startOffset: number | null;
  readonly endOffset: number | null;
  readonly lag: number | null;
  /** The member that the partition is assigned to. */
  readonly memberId: string | null;
  readonly clientId: string | null;
  readonly host: string | null;
  readonly failure: Failure | null;
}

export interface GroupGet {
  readonly group: GroupRow;
  /** The assignor in use (`range`, …); null when empty. */
  readonly protocol: string | null;
  readonly members: readonly GroupMember[];
  readonly offsets: readonly GroupOffset[];
  readonly lag: number | null;
}

export const groups = {
  open: read
    .input(
      z.object({
        clusterId,
        filter: nameFilter.optional(),
        sort: z
          .object({ by: z.enum(['groupId', 'state', 'protocolType', 'coordinatorId']), descending: z.boolean() })
          .default({ by: 'groupId', descending: false }),
      }),
    )
    .output(bulk<OpenedList & { readonly failures: readonly Failure[] }>()),
  next: read.input(nextInput).output(bulk<GroupPage>()),
  close: read.input(readerInput).output(bulk<null>()),
  rows: read.input(z.object({ clusterId, groupIds: z.array(groupId).max(1000) })).output(bulk<readonly GroupRow[]>()),
  details: read.input(z.object({ clusterId, groupIds: z.array(groupId).max(500) })).output(bulk<readonly GroupDetails[]>()),
  get: read.input(z.object({ clusterId, groupId })).output(bulk<GroupGet>()),
  /** Refused by the broker (NON_EMPTY_GROUP) while the group has members. */
  delete: destroy.input(z.object({ clusterId, groupIds: z.array(groupId).min(1).max(1000) })).output(bulk<readonly ItemResult[]>()),
};
