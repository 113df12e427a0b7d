/**
 * The records of `__consumer_offsets`, as Kafka 3.9 writes them: offset commits (key v1, value v3; v1 with an explicit retention)
 * and group metadata (key v2, value v3); a null value is a tombstone. Keys of KIP-848 groups (3 and up) are passed over.
 */
import { decodeVersioned, encodeVersioned, readStoredVersion } from '../../protocol/api.ts';
import { GroupMetadataKey } from '../../protocol/generated/group-metadata-key.ts';
import { GroupMetadataValue } from '../../protocol/generated/group-metadata-value.ts';
import { OffsetCommitKey } from '../../protocol/generated/offset-commit-key.ts';
import { OffsetCommitValue } from '../../protocol/generated/offset-commit-value.ts';
import type { RecordInput } from '../../protocol/records/record-batch-builder.ts';
import type { GroupMetadata, LoadedGroup } from './group-metadata.ts';
import { MemberMetadata, NO_ASSIGNMENT } from './member-metadata.ts';
import type { OffsetAndMetadata } from './offset-store.ts';

const OFFSET_KEY_VERSION = 1;
const OFFSET_VALUE_VERSION = 3;
const OFFSET_VALUE_WITH_EXPIRY_VERSION = 1;
const GROUP_KEY_VERSION = 2;
const GROUP_VALUE_VERSION = 3;

export function offsetRecord(groupId: string, topic: string, partition: number, value: OffsetAndMetadata, timestamp: number): RecordInput {
  const withExpiry = value.expireTimestamp >= 0;
  return {
    timestamp,
    key: encodeVersioned(OffsetCommitKey, OFFSET_KEY_VERSION, { group: groupId, topic, partition }),
    value: encodeVersioned(OffsetCommitValue, withExpiry ? OFFSET_VALUE_WITH_EXPIRY_VERSION : OFFSET_VALUE_VERSION, {
      offset: value.offset,
      metadata: value.metadata,
      commitTimestamp: value.commitTimestamp,
      ...(withExpiry ? { expireTimestamp: value.expireTimestamp } : { leaderEpoch: value.leaderEpoch }),
    }),
  };
}

export function offsetTombstone(groupId: string, topic: string, partition: number, timestamp: number): RecordInput {
  return { timestamp, key: encodeVersioned(OffsetCommitKey, OFFSET_KEY_VERSION, { group: groupId, topic, partition }), value: null };
}

export function groupTombstone(groupId: string, timestamp: number): RecordInput {
  return { timestamp, key: encodeVersioned(GroupMetadataKey, GROUP_KEY_VERSION, { group: groupId }), value: null };
}

/** The group as it is, with `assignments` by member id in place of what the members have. */
export function groupRecord(group: GroupMetadata, assignments: ReadonlyMap<string, Buffer>, timestamp: number): RecordInput {
  return {
    timestamp,
    key: encodeVersioned(GroupMetadataKey, GROUP_KEY_VERSION, { group: group.groupId }),
    value: encodeVersioned(GroupMetadataValue, GROUP_VALUE_VERSION, {
      protocolType: group.protocolType ?? '',
      generation: group.generationId,
      protocol: group.protocolName,
      leader: group.leaderId ?? null,
      currentStateTimestamp: group.currentStateTimestamp ?? -1,
      members: group.members.map((member) => ({
        memberId: member.memberId,
        groupInstanceId: member.groupInstanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        rebalanceTimeout: member.rebalanceTimeoutMs,
        sessionTimeout: member.sessionTimeoutMs,
        subscription: member.metadataOf(group.protocolName),
        assignment: assignments.get(member.memberId) ?? NO_ASSIGNMENT,
      })),
    }),
  };
}

export interface OffsetRecord {
  readonly kind: 'offset';
  readonly groupId: string;
  readonly topic: string;
  readonly partition: number;
  /** Null: a tombstone. */
  readonly value: OffsetAndMetadata | null;
}

export type GroupRecord =
  | OffsetRecord
  | { readonly kind: 'group'; readonly groupId: string; readonly value: LoadedGroup | null }
  | { readonly kind: 'unknown' };

/** Reads one record. Throws `ProtocolError` when a known key's value is malformed. Buffers are copied: the source is a log's page. */
export function readGroupRecord(key: Buffer | null, value: Buffer | null): GroupRecord {
  if (key === null) return { kind: 'unknown' };
  const version = readStoredVersion(key);
  if (version === 0 || version === OFFSET_KEY_VERSION) {
    const { group, topic, partition } = decodeVersioned(OffsetCommitKey, key);
    return { kind: 'offset', groupId: group, topic, partition, value: value === null ? null : decodeOffset(value) };
  }
  if (version !== GROUP_KEY_VERSION) return { kind: 'unknown' };
  const { group } = decodeVersioned(GroupMetadataKey, key);
  return { kind: 'group', groupId: group, value: value === null ? null : decodeGroup(value) };
}

function decodeOffset(value: Buffer): OffsetAndMetadata {
  const { offset, leaderEpoch, metadata, commitTimestamp, expireTimestamp } = decodeVersioned(OffsetCommitValue, value);
  return { offset, leaderEpoch, metadata, commitTimestamp, expireTimestamp };
}

function decodeGroup(value: Buffer): LoadedGroup {
  const stored = decodeVersioned(GroupMetadataValue, value);
  return {
    generationId: stored.generation,
    protocolType: stored.protocolType,
    protocolName: stored.protocol,
    leaderId: stored.leader,
    currentStateTimestamp: stored.currentStateTimestamp === -1 ? undefined : stored.currentStateTimestamp,
    members: stored.members.map(
      (member) =>
        new MemberMetadata({
          memberId: member.memberId,
          groupInstanceId: member.groupInstanceId,
          clientId: member.clientId,
          clientHost: member.clientHost,
          rebalanceTimeoutMs: member.rebalanceTimeout === -1 ? member.sessionTimeout : member.rebalanceTimeout,
          sessionTimeoutMs: member.sessionTimeout,
          protocolType: stored.protocolType,
          protocols: stored.protocol === null ? [] : [{ name: stored.protocol, metadata: Buffer.from(member.subscription) }],
          assignment: Buffer.from(member.assignment),
        }),
    ),
  };
}
