/**
 * The groups of the `__consumer_offsets` partitions that this broker leads: kept in memory, written to the log before a member
 * is answered, read back when a partition is taken over. Loading reads in pieces, one per turn of the event loop; until it is
 * done its groups answer COORDINATOR_LOAD_IN_PROGRESS.
 *
 * Invariant: an assignment or a commit counts once its record is committed; one that could not be written changes nothing. A
 * deletion counts at once, as in Kafka: a lost tombstone is written again when the offsets expire.
 * Source: Kafka's `GroupMetadataManager`.
 */
import { ErrorCode } from '../../protocol/errors.ts';
import { buildRecordBatch } from '../../protocol/records/record-batch-builder.ts';
import type { RecordInput } from '../../protocol/records/record-batch-builder.ts';
import { iterateBatches } from '../../protocol/records/record-batch.ts';
import { coordinatorPartition } from '../../protocol/records/partitioner.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { commitErrorOf, groupErrorOf } from './append-errors.ts';
import type { CoordinatorLog, GroupCoordinatorConfig, GroupEventSink } from './coordinator-config.ts';
import { GroupMetadata } from './group-metadata.ts';
import { groupRecord, groupTombstone, offsetRecord, offsetTombstone } from './group-records.ts';
import type { OffsetAndMetadata } from './offset-store.ts';
import { isExpired } from './offset-expiry.ts';
import { OffsetsTopicReplay } from './offsets-topic-replay.ts';

export interface GroupMetadataManagerOptions {
  readonly config: GroupCoordinatorConfig;
  readonly log: CoordinatorLog;
  readonly runtime: Pick<Runtime, 'clock' | 'scheduler' | 'logger'>;
  readonly events: GroupEventSink;
  /** Called for each group that a load brought, before its partition is served. */
  readonly onGroupLoaded: (group: GroupMetadata) => void;
  readonly onGroupUnloaded: (group: GroupMetadata) => void;
}

export interface OffsetToCommit {
  readonly topic: string;
  readonly partition: number;
  readonly value: OffsetAndMetadata;
}

export interface OffsetToDelete {
  readonly topic: string;
  readonly partition: number;
}

/** One partition on its way into memory. */
interface Load {
  readonly partition: number;
  readonly epoch: number;
  readonly ownership: { isLoading: boolean };
  readonly replay: OffsetsTopicReplay;
  readonly startedMs: number;
  nextOffset: number;
}

/** What is read in one turn of the event loop, whatever `offsets.load.buffer.size` says: some 10 ms. */
const MAX_LOAD_BYTES_PER_TURN = 512 << 10;

export class GroupMetadataManager {
  readonly #options: GroupMetadataManagerOptions;
  readonly #logger: Logger;
  readonly #groups = new Map<string, GroupMetadata>();
  readonly #partitions = new Map<number, { isLoading: boolean }>();
  /** The newest leader epoch heard of for each partition, led or not. */
  readonly #epochs = new Map<number, number>();
  readonly #loads: Load[] = [];
  /** Grows with every commit, and is past every offset that was loaded. */
  #appendOrder = 0;

  constructor(options: GroupMetadataManagerOptions) {
    this.#options = options;
    this.#logger = options.runtime.logger.child({ component: 'GroupMetadataManager' });
  }

  partitionFor(groupId: string): number {
    return coordinatorPartition(groupId, this.#options.log.partitionCount());
  }

  /** Whether this broker leads the group's partition, loaded or not. */
  isLocal(groupId: string): boolean {
    return this.#partitions.has(this.partitionFor(groupId));
  }

  isLoading(groupId: string): boolean {
    return this.#partitions.get(this.partitionFor(groupId))?.isLoading === true;
  }

  get isAnyLoading(): boolean {
    for (const { isLoading } of this.#partitions.values()) if (isLoading) return true;
    return false;
  }

  groups(): readonly GroupMetadata[] {
    return [...this.#groups.values()];
  }

  get(groupId: string): GroupMetadata | undefined {
    return this.#groups.get(groupId);
  }

  getOrCreate(groupId: string): GroupMetadata {
    let group = this.#groups.get(groupId);
    if (group === undefined) {
      group = new GroupMetadata(groupId);
      this.#groups.set(groupId, group);
    }
    return group;
  }

  /**
   * This broker leads `partition` in `epoch`: loads its groups. A stale epoch is ignored; a leader that stays the leader in a new
   * epoch keeps what it has.
   */
  onElection(partition: number, epoch: number): void {
    if (epoch < (this.#epochs.get(partition) ?? epoch)) return;
    this.#epochs.set(partition, epoch);
    if (this.#partitions.has(partition)) return;
    const ownership = { isLoading: true };
    this.#partitions.set(partition, ownership);
    this.#loads.push({
      partition,
      epoch,
      ownership,
      replay: new OffsetsTopicReplay(this.#logger),
      startedMs: this.#options.runtime.clock.monotonicMs(),
      nextOffset: this.#options.log.logStartOffset(partition),
    });
    if (this.#loads.length === 1) this.#options.runtime.scheduler.endOfTurn(() => this.#runLoads());
  }

  /**
   * This broker leads `partition` no more: forgets its groups. A stale epoch is ignored. Without an epoch the partition is gone from here:
   * when its topic was deleted and is made anew, epochs begin at zero again (Kafka's coordinator takes them for stale until it restarts).
   */
  onResignation(partition: number, epoch?: number): void {
    if (epoch === undefined) this.#epochs.delete(partition);
    else {
      if (epoch < (this.#epochs.get(partition) ?? epoch)) return;
      this.#epochs.set(partition, epoch);
    }
    if (!this.#partitions.delete(partition)) return;
    for (const [groupId, group] of this.#groups) {
      if (this.partitionFor(groupId) !== partition) continue;
      this.#groups.delete(groupId);
      this.#options.onGroupUnloaded(group);
    }
  }

  /** Writes the group with its new assignments; `onDone` gets the code for the client. */
  storeGroup(group: GroupMetadata, assignments: ReadonlyMap<string, Buffer>, onDone: (errorCode: number) => void): void {
    const nowMs = this.#options.runtime.clock.wallMs();
    this.#append(group.groupId, [groupRecord(group, assignments, nowMs)], (errorCode) => onDone(groupErrorOf(errorCode)));
  }

  /** Commits `offsets`; once written they are what OffsetFetch gives. Metadata that is too long is refused by itself. */
  storeOffsets(group: GroupMetadata, offsets: readonly OffsetToCommit[], onDone: (errorCodes: readonly number[]) => void): void {
    const { offsetMetadataMaxBytes } = this.#options.config;
    const nowMs = this.#options.runtime.clock.wallMs();
    // Kafka counts UTF-16 units here, whatever the key's name says.
    const isTooLong = ({ value }: OffsetToCommit): boolean => value.metadata.length > offsetMetadataMaxBytes;
    const accepted = offsets.filter((entry) => !isTooLong(entry));
    const answer = (errorCode: number): void =>
      onDone(offsets.map((entry) => (isTooLong(entry) ? ErrorCode.OFFSET_METADATA_TOO_LARGE : errorCode)));
    if (accepted.length === 0) {
      answer(ErrorCode.NONE);
      return;
    }
    const records = accepted.map(({ topic, partition, value }) => offsetRecord(group.groupId, topic, partition, value, nowMs));
    for (const { topic, partition, value } of accepted) group.offsets.prepareCommit(topic, partition, value);
    const appendOrder = ++this.#appendOrder;
    this.#append(group.groupId, records, (errorCode) => {
      // A group that was unloaded meanwhile is read from the log by whoever leads it now.
      for (const { topic, partition, value } of accepted) {
        if (errorCode === ErrorCode.NONE) group.offsets.completeCommit(topic, partition, value, appendOrder);
        else group.offsets.failCommit(topic, partition, value);
      }
      answer(commitErrorOf(errorCode));
    });
  }

  /** Forgets these offsets, and the group when it is empty and keeps nothing any more. Returns how many offsets there were. */
  removeOffsets(group: GroupMetadata, offsets: Iterable<OffsetToDelete>, reason: string): number {
    const nowMs = this.#options.runtime.clock.wallMs();
    const tombstones: RecordInput[] = [];
    for (const { topic, partition } of offsets) {
      if (group.offsets.delete(topic, partition)) tombstones.push(offsetTombstone(group.groupId, topic, partition, nowMs));
    }
    const removed = tombstones.length;
    // Who was given a member id a moment ago comes back with it.
    if (group.is('Empty') && group.offsets.isEmpty && group.pendingMemberCount === 0) group.transitionTo('Dead', nowMs);
    if (group.is('Dead') && this.#groups.get(group.groupId) === group) {
      this.#groups.delete(group.groupId);
      // A group without a generation has no record.
      if (group.generationId > 0) tombstones.push(groupTombstone(group.groupId, nowMs));
      this.#options.events.emit({
        kind: 'group-deleted',
        groupId: group.groupId,
        generationId: group.generationId,
        memberCount: 0,
        reason,
      });
    }
    if (tombstones.length > 0) {
      this.#append(group.groupId, tombstones, (errorCode) => {
        if (errorCode !== ErrorCode.NONE)
          this.#logger.warn(
            `Tombstones of group ${group.groupId} were not written: code ${errorCode}; what they delete may come back at the next load`,
          );
      });
    }
    return removed;
  }

  /** Deletes an empty group with its offsets. The caller has checked that it is empty. */
  deleteGroup(group: GroupMetadata, reason: string): void {
    group.transitionTo('Dead', this.#options.runtime.clock.wallMs());
    this.removeOffsets(group, [...group.offsets.entries()], reason);
  }

  /** Deletes what has outlived `offsets.retention.minutes`, and empty groups without offsets. */
  expireOffsets(): void {
    const nowMs = this.#options.runtime.clock.wallMs();
    const { offsetsRetentionMs } = this.#options.config;
    let removed = 0;
    for (const group of this.groups()) {
      const expired = [...group.offsets.entries()].filter((entry) => isExpired(group, entry, nowMs, offsetsRetentionMs));
      removed += this.removeOffsets(group, expired, 'its offsets have expired');
    }
    if (removed > 0) this.#logger.info(`Removed ${removed} expired offsets`);
  }

  #append(groupId: string, records: readonly RecordInput[], onDone: (errorCode: number) => void): void {
    const partition = this.partitionFor(groupId);
    if (!this.#partitions.has(partition)) {
      onDone(ErrorCode.NOT_LEADER_OR_FOLLOWER);
      return;
    }
    this.#options.log.append(partition, buildRecordBatch(records, { codec: this.#options.config.offsetsTopicCompressionCodec }), onDone);
  }

  /** Goes on with the loads in their order, a bounded number of bytes in this turn. */
  #runLoads(): void {
    let bytesLeft = MAX_LOAD_BYTES_PER_TURN;
    for (let load = this.#loads[0]; load !== undefined && bytesLeft > 0; load = this.#loads[0]) {
      const bytesRead = this.#partitions.get(load.partition) === load.ownership ? this.#loadNext(load) : 0;
      bytesLeft -= bytesRead;
      if (bytesRead > 0) continue;
      this.#loads.shift();
      this.#completeLoad(load);
    }
    if (this.#loads.length > 0) this.#options.runtime.scheduler.endOfTurn(() => this.#runLoads());
  }

  /** Reads on in the log; returns how many bytes of whole batches there were, 0 at its end. */
  #loadNext(load: Load): number {
    const { log, config } = this.#options;
    if (load.nextOffset < 0) return 0;
    const bytes = log.read(load.partition, load.nextOffset, Math.min(config.offsetsLoadBufferSize, MAX_LOAD_BYTES_PER_TURN));
    let bytesRead = 0;
    for (const batch of iterateBatches(bytes)) {
      load.nextOffset = load.replay.replay(batch);
      bytesRead += batch.length;
    }
    return bytesRead;
  }

  #completeLoad({ partition, epoch, ownership, replay, startedMs }: Load): void {
    if (this.#partitions.get(partition) !== ownership) return;
    const { log, runtime } = this.#options;
    if (!log.isLeader(partition)) {
      // Leadership was lost, or the log's disk: what was read may be a part. The next election loads anew.
      this.#partitions.delete(partition);
      return;
    }
    const groups = replay.toGroups();
    this.#appendOrder = Math.max(this.#appendOrder, log.logEndOffset(partition));
    ownership.isLoading = false;
    for (const group of groups) {
      this.#groups.set(group.groupId, group);
      this.#options.onGroupLoaded(group);
    }
    const tookMs = Math.round(runtime.clock.monotonicMs() - startedMs);
    if (groups.length > 0)
      this.#logger.info(
        { partition, epoch },
        `Loaded ${groups.length} groups of __consumer_offsets-${partition} in epoch ${epoch} in ${tookMs} ms`,
      );
  }
}
