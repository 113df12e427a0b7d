/**
 * What a partition of `__consumer_offsets` says, read from its first batch to its last: the groups with their offsets, and what
 * open transactions want to commit. A record that can't be read is logged and passed over, so that it costs one offset and not
 * all groups of the partition. Source: `GroupMetadataManager.doLoadGroupsAndOffsets`.
 */
import { ControlRecordType, readEndTransactionMarker } from '../../protocol/records/record-batch-builder.ts';
import { readBatchHeader } from '../../protocol/records/record-batch.ts';
import type { RecordBatchHeader } from '../../protocol/records/record-batch.ts';
import { iterateRecords } from '../../protocol/records/record-reader.ts';
import type { KafkaRecord } from '../../protocol/records/record-reader.ts';
import { topicPartitionKey } from '../../protocol/topic-partition.ts';
import type { Logger } from '../../runtime/logger.ts';
import { GroupMetadata } from './group-metadata.ts';
import type { LoadedGroup } from './group-metadata.ts';
import { readGroupRecord } from './group-records.ts';
import type { OffsetRecord } from './group-records.ts';
import type { OffsetAndMetadata } from './offset-store.ts';

/** The most that one compressed batch of this topic may unfold to. */
const MAX_DECOMPRESSED_BYTES = 128 << 20;

interface ReplayedOffset {
  readonly groupId: string;
  readonly topic: string;
  readonly partition: number;
  readonly value: OffsetAndMetadata;
  /** The batch's base offset: its place in the order of appends. */
  readonly appendOrder: number;
}

export class OffsetsTopicReplay {
  readonly #logger: Logger;
  readonly #groups = new Map<string, LoadedGroup>();
  /** By group, then by topic and partition. */
  readonly #offsets = new Map<string, Map<string, ReplayedOffset>>();
  /** By producer id, then by group, topic and partition. */
  readonly #pending = new Map<number, Map<string, ReplayedOffset>>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Takes in the next batch, in the order of the log. Returns the offset after it. */
  replay(batch: Buffer): number {
    const header = readBatchHeader(batch, 0);
    try {
      for (const record of iterateRecords(batch, MAX_DECOMPRESSED_BYTES)) {
        if (header.isControl) this.#endTransaction(header.producerId, record);
        else this.#replayRecord(record, header);
      }
    } catch (error) {
      this.#logger.error({ err: error, baseOffset: header.baseOffset }, 'A batch of __consumer_offsets cannot be read and is passed over');
    }
    return header.lastOffset + 1;
  }

  /** The groups that came out of it. */
  toGroups(): GroupMetadata[] {
    const groups = new Map(Array.from(this.#groups, ([groupId, value]) => [groupId, new GroupMetadata(groupId, value)]));
    const groupOf = (groupId: string): GroupMetadata => {
      let group = groups.get(groupId);
      if (group === undefined) {
        // Offsets without a group: of a consumer that assigns its partitions itself.
        group = new GroupMetadata(groupId);
        groups.set(groupId, group);
      }
      return group;
    };
    for (const offsets of this.#offsets.values()) {
      for (const { groupId, topic, partition, value, appendOrder } of offsets.values())
        groupOf(groupId).offsets.put(topic, partition, value, appendOrder);
    }
    for (const [producerId, pending] of this.#pending) {
      for (const { groupId, topic, partition, value, appendOrder } of pending.values())
        groupOf(groupId).offsets.addPending(producerId, topic, partition, value, appendOrder);
    }
    return [...groups.values()];
  }

  #replayRecord(record: KafkaRecord, header: RecordBatchHeader): void {
    try {
      const parsed = readGroupRecord(record.key, record.value);
      if (parsed.kind === 'group') {
        if (parsed.value === null) this.#groups.delete(parsed.groupId);
        else this.#groups.set(parsed.groupId, parsed.value);
      } else if (parsed.kind === 'offset') {
        if (header.isTransactional) this.#replayPending(parsed, header);
        else this.#replayOffset(parsed, header.baseOffset);
      }
    } catch (error) {
      this.#logger.error({ err: error, offset: record.offset }, 'A record of __consumer_offsets cannot be read and is passed over');
    }
  }

  #replayOffset(record: OffsetRecord, appendOrder: number): void {
    const { groupId, topic, partition, value } = record;
    const key = topicPartitionKey({ topic, partition });
    if (value !== null) {
      getOrCreate(this.#offsets, groupId).set(key, { groupId, topic, partition, value, appendOrder });
      return;
    }
    const offsets = this.#offsets.get(groupId);
    if (offsets?.delete(key) === true && offsets.size === 0) this.#offsets.delete(groupId);
  }

  #replayPending(record: OffsetRecord, { producerId, baseOffset }: RecordBatchHeader): void {
    const { groupId, topic, partition, value } = record;
    // A group id may hold any character; a topic name holds no slash.
    const key = `${topicPartitionKey({ topic, partition })}/${groupId}`;
    if (value === null) this.#pending.get(producerId)?.delete(key);
    else getOrCreate(this.#pending, producerId).set(key, { groupId, topic, partition, value, appendOrder: baseOffset });
  }

  #endTransaction(producerId: number, record: KafkaRecord): void {
    const marker = readEndTransactionMarker(record);
    const pending = this.#pending.get(producerId);
    if (marker === undefined || pending === undefined) return;
    this.#pending.delete(producerId);
    if (marker.type !== ControlRecordType.COMMIT) return;
    for (const offset of pending.values()) {
      const offsets = getOrCreate(this.#offsets, offset.groupId);
      const key = topicPartitionKey(offset);
      const known = offsets.get(key);
      // A commit that was appended after the transaction's counts more, though the transaction ended later.
      if (known === undefined || known.appendOrder < offset.appendOrder) offsets.set(key, offset);
    }
  }
}

function getOrCreate<K>(maps: Map<K, Map<string, ReplayedOffset>>, key: K): Map<string, ReplayedOffset> {
  let map = maps.get(key);
  if (map === undefined) {
    map = new Map();
    maps.set(key, map);
  }
  return map;
}
