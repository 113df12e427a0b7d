/**
 * The groups of the `__consumer_offsets` partitions that this broker leads: kept in memory, written to the log before anyone
 * is answered, read back when a partition is taken over. Loading reads in pieces, one per turn of the event loop; until it is
 * done its groups answer COORDINATOR_LOAD_IN_PROGRESS.
 *
 * Invariant: what is in memory is what a replay of the log gives. An append that fails changes nothing here.
 * Source: Kafka's `GroupMetadataManager`.
 */
import { ErrorCode } from '../../protocol/errors.ts';
import { buildRecordBatch, readEndTransactionMarker } from '../../protocol/records/record-batch-builder.ts';
import type { RecordInput } from '../../protocol/records/record-batch-builder.ts';
import { iterateBatches, readBatchHeader } from '../../protocol/records/record-batch.ts';
import { coordinatorPartition } from '../../protocol/records/partitioner.ts';
import { iterateRecords } from '../../protocol/records/record-reader.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { CoordinatorLog, GroupCoordinatorConfig, GroupEventSink } from './coordinator-config.ts';
import { GroupMetadata } from './group-metadata.ts';
import type { LoadedGroup } from './group-metadata.ts';
import { groupRecord, groupTombstone, offsetRecord, offsetTombstone, readGroupRecord } from './group-records.ts';
import type { OffsetAndMetadata } from './offset-store.ts';
import { isExpired } from './offset-expiry.ts';

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

type PartitionState = 'loading' | 'owned';

/** The most that one compressed batch of this topic may unfold to. */
const MAX_DECOMPRESSED_BYTES = 128 << 20;

export class GroupMetadataManager {
  readonly #options: GroupMetadataManagerOptions;
  readonly #logger: Logger;
  readonly #groups = new Map<string, GroupMetadata>();
  readonly #partitions = new Map<number, { state: PartitionState; epoch: number }>();

  constructor(options: GroupMetadataManagerOptions) {
    this.#options = options;
    this.#logger = options.runtime.logger.child({ component: 'GroupMetadataManager' });
  }

  get config(): GroupCoordinatorConfig {
    return this.#options.config;
  }

  partitionFor(groupId: string): number {
    return coordinatorPartition(groupId, this.#options.log.partitionCount());
  }

  isLocal(groupId: string): boolean {
    return this.#partitions.has(this.partitionFor(groupId));
  }

  isLoading(groupId: string): boolean {
    return this.#partitions.get(this.partitionFor(groupId))?.state === 'loading';
  }

  get isAnyLoading(): boolean {
    for (const { state } of this.#partitions.values()) if (state === 'loading') return true;
    return false;
  }

  groups(): readonly GroupMetadata[] {
    return [...this.#groups.values()].filter((group) => !this.isLoading(group.groupId));
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

  /** This broker leads `partition` in `epoch`: loads its groups. A load under an older epoch is left. */
  onElection(partition: number, epoch: number): void {
    const known = this.#partitions.get(partition);
    if (known !== undefined && known.epoch >= epoch) return;
    this.#unload(partition);
    const ownership = { state: 'loading' as PartitionState, epoch };
    this.#partitions.set(partition, ownership);
    const startedMs = this.#options.runtime.clock.monotonicMs();
    const loaded: Loaded = { groups: new Map(), offsets: new Map(), pending: new Map() };
    const stillMine = (): boolean => this.#partitions.get(partition) === ownership;
    this.#loadNext(partition, this.#options.log.logStartOffset(partition), loaded, stillMine, () => {
      this.#install(loaded);
      ownership.state = 'owned';
      const tookMs = Math.round(this.#options.runtime.clock.monotonicMs() - startedMs);
      if (loaded.groups.size + loaded.offsets.size > 0) {
        this.#logger.info({ partition, epoch }, `Loaded the groups of __consumer_offsets-${partition} in epoch ${epoch} in ${tookMs} ms`);
      }
    });
  }

  /** This broker leads `partition` no more: forgets its groups. An older epoch than the present one is ignored. */
  onResignation(partition: number, epoch?: number): void {
    const known = this.#partitions.get(partition);
    if (known === undefined || (epoch !== undefined && epoch < known.epoch)) return;
    this.#unload(partition);
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
    const isTooLong = ({ value }: OffsetToCommit): boolean => Buffer.byteLength(value.metadata) > offsetMetadataMaxBytes;
    const accepted = offsets.filter((entry) => !isTooLong(entry));
    const answer = (errorCode: number): void => onDone(offsets.map((entry) => (isTooLong(entry) ? ErrorCode.OFFSET_METADATA_TOO_LARGE : errorCode)));
    if (accepted.length === 0) {
      answer(ErrorCode.NONE);
      return;
    }
    const records = accepted.map(({ topic, partition, value }) => offsetRecord(group.groupId, topic, partition, value, nowMs));
    this.#append(group.groupId, records, (errorCode) => {
      if (errorCode === ErrorCode.NONE && !group.is('Dead')) {
        for (const { topic, partition, value } of accepted) group.offsets.put(topic, partition, value);
      }
      answer(commitErrorOf(errorCode));
    });
  }

  /** Deletes offsets with tombstones, and the group with them when `wholeGroup`; `onDone` gets the produce error. */
  deleteOffsets(group: GroupMetadata, offsets: readonly { topic: string; partition: number }[], wholeGroup: boolean, onDone: (errorCode: number) => void): void {
    const nowMs = this.#options.runtime.clock.wallMs();
    const records = offsets.map(({ topic, partition }) => offsetTombstone(group.groupId, topic, partition, nowMs));
    if (wholeGroup) records.push(groupTombstone(group.groupId, nowMs));
    for (const { topic, partition } of offsets) group.offsets.delete(topic, partition);
    if (wholeGroup && this.#groups.get(group.groupId) === group) this.#groups.delete(group.groupId);
    if (records.length === 0) onDone(ErrorCode.NONE);
    else this.#append(group.groupId, records, onDone);
  }

  /** Deletes what has outlived `offsets.retention.minutes`, and empty groups without offsets. */
  expireOffsets(): void {
    const nowMs = this.#options.runtime.clock.wallMs();
    for (const group of this.groups()) {
      const expired = [...group.offsets.entries()].filter((entry) => isExpired(group, entry, nowMs, this.#options.config.offsetsRetentionMs));
      const isOver = group.is('Empty') && group.pendingMemberCount === 0 && !group.offsets.hasPending && group.offsets.size === expired.length;
      if (expired.length === 0 && !isOver) continue;
      if (isOver) group.transitionTo('Dead', nowMs);
      this.deleteOffsets(group, expired, isOver, (errorCode) => {
        if (errorCode !== ErrorCode.NONE) this.#logger.warn(`Tombstones of group ${group.groupId} were not written: code ${errorCode}; the offsets may come back at the next load`);
      });
    }
  }

  #append(groupId: string, records: readonly RecordInput[], onDone: (errorCode: number) => void): void {
    const partition = this.partitionFor(groupId);
    if (!this.#partitions.has(partition)) {
      onDone(ErrorCode.NOT_LEADER_OR_FOLLOWER);
      return;
    }
    this.#options.log.append(partition, buildRecordBatch(records, { codec: this.#options.config.offsetsTopicCompressionCodec }), onDone);
  }

  #loadNext(partition: number, offset: number, loaded: Loaded, stillMine: () => boolean, onLoaded: () => void): void {
    if (!stillMine()) return;
    const { log, config, runtime } = this.#options;
    const bytes = offset < 0 ? Buffer.alloc(0) : log.read(partition, offset, config.offsetsLoadBufferSize);
    let nextOffset = offset;
    for (const batch of iterateBatches(bytes)) {
      this.#replay(batch, loaded);
      nextOffset = readBatchHeader(batch, 0).lastOffset + 1;
    }
    if (nextOffset > offset) runtime.scheduler.endOfTurn(() => this.#loadNext(partition, nextOffset, loaded, stillMine, onLoaded));
    else if (log.isLeader(partition)) onLoaded();
  }

  #replay(batch: Buffer, loaded: Loaded): void {
    const header = readBatchHeader(batch, 0);
    for (const record of iterateRecords(batch, MAX_DECOMPRESSED_BYTES)) {
      if (header.isControl) {
        const marker = readEndTransactionMarker(record);
        if (marker !== undefined) endTransaction(loaded, header.producerId, marker.type === 1);
        continue;
      }
      try {
        const parsed = readGroupRecord(record.key, record.value);
        if (header.isTransactional && parsed.kind === 'offset') addPending(loaded, header.producerId, parsed.groupId, parsed);
        else apply(loaded, parsed);
      } catch (error) {
        this.#logger.error({ err: error, offset: record.offset }, 'A record of __consumer_offsets cannot be read and is passed over');
      }
    }
  }

  #install(loaded: Loaded): void {
    for (const [groupId, value] of loaded.groups) this.#groups.set(groupId, new GroupMetadata(groupId, value));
    for (const [groupId, offsets] of loaded.offsets) {
      if (offsets.size === 0) continue;
      const group = this.getOrCreate(groupId);
      for (const { topic, partition, value } of offsets.values()) group.offsets.put(topic, partition, value);
    }
    for (const [producerId, list] of loaded.pending) {
      for (const { groupId, topic, partition, value } of list) this.getOrCreate(groupId).offsets.addPending(producerId, { topic, partition, ...value });
    }
    for (const groupId of new Set([...loaded.groups.keys(), ...loaded.offsets.keys()])) {
      const group = this.#groups.get(groupId);
      if (group !== undefined) this.#options.onGroupLoaded(group);
    }
  }

  #unload(partition: number): void {
    this.#partitions.delete(partition);
    for (const [groupId, group] of this.#groups) {
      if (this.partitionFor(groupId) !== partition) continue;
      this.#groups.delete(groupId);
      this.#options.onGroupUnloaded(group);
    }
  }
}

interface LoadedOffset {
  readonly topic: string;
  readonly partition: number;
  readonly value: OffsetAndMetadata;
}

interface Loaded {
  readonly groups: Map<string, LoadedGroup>;
  readonly offsets: Map<string, Map<string, LoadedOffset>>;
  readonly pending: Map<number, (LoadedOffset & { readonly groupId: string })[]>;
}

type ParsedOffset = Extract<ReturnType<typeof readGroupRecord>, { kind: 'offset' }>;

function apply(loaded: Loaded, record: ReturnType<typeof readGroupRecord>): void {
  if (record.kind === 'unknown') return;
  if (record.kind === 'group') {
    if (record.value === null) loaded.groups.delete(record.groupId);
    else loaded.groups.set(record.groupId, record.value);
    return;
  }
  let offsets = loaded.offsets.get(record.groupId);
  if (offsets === undefined) {
    offsets = new Map();
    loaded.offsets.set(record.groupId, offsets);
  }
  const key = `${record.topic}-${record.partition}`;
  if (record.value === null) offsets.delete(key);
  else offsets.set(key, { topic: record.topic, partition: record.partition, value: record.value });
}

function addPending(loaded: Loaded, producerId: number, groupId: string, record: ParsedOffset): void {
  if (record.value === null) return;
  const entry = { groupId, topic: record.topic, partition: record.partition, value: record.value };
  const list = loaded.pending.get(producerId);
  if (list === undefined) loaded.pending.set(producerId, [entry]);
  else list.push(entry);
}

function endTransaction(loaded: Loaded, producerId: number, isCommit: boolean): void {
  const list = loaded.pending.get(producerId) ?? [];
  loaded.pending.delete(producerId);
  if (!isCommit) return;
  for (const { groupId, topic, partition, value } of list) apply(loaded, { kind: 'offset', groupId, topic, partition, value });
}

/** What a client of the group is told when the group could not be written. */
function groupErrorOf(errorCode: number): number {
  switch (errorCode) {
    case ErrorCode.UNKNOWN_TOPIC_OR_PARTITION:
    case ErrorCode.NOT_ENOUGH_REPLICAS:
    case ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND:
      return ErrorCode.COORDINATOR_NOT_AVAILABLE;
    case ErrorCode.NOT_LEADER_OR_FOLLOWER:
    case ErrorCode.KAFKA_STORAGE_ERROR:
      return ErrorCode.NOT_COORDINATOR;
    case ErrorCode.REQUEST_TIMED_OUT:
      return ErrorCode.REBALANCE_IN_PROGRESS;
    case ErrorCode.MESSAGE_TOO_LARGE:
    case ErrorCode.RECORD_LIST_TOO_LARGE:
    case ErrorCode.INVALID_FETCH_SIZE:
      return ErrorCode.UNKNOWN_SERVER_ERROR;
    default:
      return errorCode;
  }
}

/** What a client is told when its offsets could not be written. */
function commitErrorOf(errorCode: number): number {
  switch (errorCode) {
    case ErrorCode.UNKNOWN_TOPIC_OR_PARTITION:
    case ErrorCode.NOT_ENOUGH_REPLICAS:
    case ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND:
    case ErrorCode.REQUEST_TIMED_OUT:
      return ErrorCode.COORDINATOR_NOT_AVAILABLE;
    case ErrorCode.NOT_LEADER_OR_FOLLOWER:
    case ErrorCode.KAFKA_STORAGE_ERROR:
      return ErrorCode.NOT_COORDINATOR;
    case ErrorCode.MESSAGE_TOO_LARGE:
    case ErrorCode.RECORD_LIST_TOO_LARGE:
    case ErrorCode.INVALID_FETCH_SIZE:
      return ErrorCode.INVALID_COMMIT_OFFSET_SIZE;
    default:
      return errorCode;
  }
}
