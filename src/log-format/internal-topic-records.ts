/**
 * Records of `__consumer_offsets` and `__transaction_state` in words, as kafka-dump-log prints them: for the offsets topic JSON with the fields
 * in the order of Kafka's message definitions, for the transaction log Kafka's own short form. A null value is '<DELETE>'.
 * Nothing is thrown: what can't be read is said in place of the key. Differs from Kafka: KIP-848 records (keys 3 and up, which no broker in ZooKeeper
 * mode writes) are named by their type only. Source: Kafka's DumpLogSegments, TransactionLog.
 */
import { decodeVersioned, readStoredVersion } from '../protocol/api.ts';
import { ConsumerProtocolAssignment } from '../protocol/generated/consumer-protocol-assignment.ts';
import { ConsumerProtocolSubscription } from '../protocol/generated/consumer-protocol-subscription.ts';
import { GroupMetadataKey } from '../protocol/generated/group-metadata-key.ts';
import { GroupMetadataValue } from '../protocol/generated/group-metadata-value.ts';
import { OffsetCommitKey } from '../protocol/generated/offset-commit-key.ts';
import { OffsetCommitValue } from '../protocol/generated/offset-commit-value.ts';
import { TransactionLogKey } from '../protocol/generated/transaction-log-key.ts';
import { TransactionLogValue } from '../protocol/generated/transaction-log-value.ts';
import { ProtocolError } from '../protocol/protocol-error.ts';

const DELETED = '<DELETE>';
const GROUP_KEY_VERSION = 2;
const MAX_SUBSCRIPTION_VERSION = 3;
const TRANSACTION_STATES = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
  'Dead',
  'PrepareEpochFence',
] as const;

export interface StoredRecord {
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

export interface DecodedRecord {
  readonly key: string;
  /** Null where the key already says that the record can't be read. */
  readonly value: string | null;
}

/** The decoder of an internal topic's records; undefined for any other topic. */
export function internalTopicDecoder(topic: string): ((record: StoredRecord) => DecodedRecord) | undefined {
  if (topic === '__consumer_offsets') return decodeOffsetsRecord;
  return topic === '__transaction_state' ? decodeTransactionRecord : undefined;
}

/** A committed offset or a group's metadata. */
export function decodeOffsetsRecord(record: StoredRecord): DecodedRecord {
  return withoutErrors(record, (key) => {
    const version = readStoredVersion(key);
    if (version < 0 || version > GROUP_KEY_VERSION)
      return { key: `Unknown record type ${version} at offset ${record.offset}, skipping.`, value: null };
    const data = version === GROUP_KEY_VERSION ? { group: decodeVersioned(GroupMetadataKey, key).group } : offsetKey(key);
    return {
      key: JSON.stringify({ type: String(version), data }),
      value: record.value === null ? DELETED : version === GROUP_KEY_VERSION ? groupValue(record.value) : offsetValue(record.value),
    };
  });
}

/** The state of a transactional id. */
export function decodeTransactionRecord(record: StoredRecord): DecodedRecord {
  return withoutErrors(record, (key) => {
    const version = readStoredVersion(key);
    if (version !== 0) return { key: `unknown::version=${version}`, value: null };
    const { transactionalId } = decodeVersioned(TransactionLogKey, key);
    return {
      key: `transaction_metadata::transactionalId=${transactionalId}`,
      value: record.value === null ? DELETED : transactionValue(record.value),
    };
  });
}

function withoutErrors(record: StoredRecord, decode: (key: Buffer) => DecodedRecord): DecodedRecord {
  if (record.key === null) return { key: `Error at offset ${record.offset}, skipping. The record has no key`, value: null };
  try {
    return decode(record.key);
  } catch (error) {
    if (error instanceof ProtocolError) return { key: `Error at offset ${record.offset}, skipping. ${error.message}`, value: null };
    throw error;
  }
}

function offsetKey(key: Buffer): object {
  const { group, topic, partition } = decodeVersioned(OffsetCommitKey, key);
  return { group, topic, partition };
}

function offsetValue(value: Buffer): string {
  const version = readStoredVersion(value);
  const { offset, leaderEpoch, metadata, commitTimestamp, expireTimestamp } = decodeVersioned(OffsetCommitValue, value);
  const data = {
    offset,
    ...(version >= 3 ? { leaderEpoch } : {}),
    metadata,
    commitTimestamp,
    ...(version === 1 ? { expireTimestamp } : {}),
  };
  return JSON.stringify({ version: String(version), data });
}

function groupValue(value: Buffer): string {
  const version = readStoredVersion(value);
  const group = decodeVersioned(GroupMetadataValue, value);
  const isConsumer = group.protocolType === 'consumer';
  const data = {
    protocolType: group.protocolType,
    generation: group.generation,
    protocol: group.protocol,
    leader: group.leader,
    ...(version >= 2 ? { currentStateTimestamp: group.currentStateTimestamp } : {}),
    members: group.members.map((member) => ({
      memberId: member.memberId,
      ...(version >= 3 ? { groupInstanceId: member.groupInstanceId } : {}),
      clientId: member.clientId,
      clientHost: member.clientHost,
      ...(version >= 1 ? { rebalanceTimeout: member.rebalanceTimeout } : {}),
      sessionTimeout: member.sessionTimeout,
      subscription: isConsumer ? orBase64(member.subscription, subscription) : base64(member.subscription),
      assignment: isConsumer ? orBase64(member.assignment, assignment) : base64(member.assignment),
    })),
  };
  return JSON.stringify({ version: String(version), data });
}

/** Other clients put what they like there: bytes that aren't the consumer protocol stay bytes. */
function orBase64(bytes: Buffer, decode: (bytes: Buffer) => object): object | string | null {
  try {
    return decode(bytes);
  } catch (error) {
    if (error instanceof ProtocolError) return base64(bytes);
    throw error;
  }
}

function subscription(bytes: Buffer): object {
  const version = Math.min(readStoredVersion(bytes), MAX_SUBSCRIPTION_VERSION);
  const { topics, userData, ownedPartitions, generationId, rackId } = decodeVersioned(ConsumerProtocolSubscription, bytes, {
    newerAsNewest: true,
  });
  return {
    topics,
    userData: base64(userData),
    ...(version >= 1 ? { ownedPartitions } : {}),
    ...(version >= 2 ? { generationId } : {}),
    ...(version >= 3 ? { rackId } : {}),
  };
}

function assignment(bytes: Buffer): object {
  const { assignedPartitions, userData } = decodeVersioned(ConsumerProtocolAssignment, bytes, { newerAsNewest: true });
  return { assignedPartitions, userData: base64(userData) };
}

function transactionValue(value: Buffer): string {
  const { producerId, producerEpoch, transactionTimeoutMs, transactionStatus, transactionPartitions, transactionLastUpdateTimestampMs } =
    decodeVersioned(TransactionLogValue, value);
  const partitions = (transactionPartitions ?? []).flatMap(({ topic, partitionIds }) => partitionIds.map((id) => `${topic}-${id}`));
  return [
    `producerId:${producerId}`,
    `producerEpoch:${producerEpoch}`,
    `state=${TRANSACTION_STATES[transactionStatus] ?? `Unknown(${transactionStatus})`}`,
    `partitions=[${partitions.join(',')}]`,
    `txnLastUpdateTimestamp=${transactionLastUpdateTimestampMs}`,
    `txnTimeoutMs=${transactionTimeoutMs}`,
  ].join(',');
}

function base64(bytes: Buffer | null): string | null {
  return bytes === null ? null : bytes.toString('base64');
}
