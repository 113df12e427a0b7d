/**
 * Appends batches to the partitions that this broker leads and answers when acks says: 0 and 1 when the bytes are written,
 * -1 when the high watermark has passed them. Used by Produce and by the coordinators.
 *
 * A client's request with a large batch that must be opened or compressed waits as a whole until workers have done that; its connection is muted
 * meanwhile, so that its order holds, and others go past it. Source: Kafka's `ReplicaManager.appendRecords`.
 */
import { producerIdAt } from '../../log-format/batch-fields.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { topicPartitionKey } from '../../protocol/topic-partition.ts';
import type { TopicPartition } from '../../protocol/topic-partition.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Offload } from '../../runtime/offload.ts';
import { isWorkForWorker, prepareInWorker } from '../log/batch-preparation.ts';
import { appendError } from '../log/log-errors.ts';
import type { LeaderAppendOptions, UnifiedLog } from '../log/unified-log.ts';
import { DelayedProduce } from './delayed-produce.ts';
import type { ProducePartitionStatus } from './delayed-produce.ts';
import type { Partition } from './partition.ts';
import { RefusedSequences } from './refused-sequences.ts';
import type { ReplicaManager } from './replica-manager.ts';

export interface AppendEntry {
  readonly topicPartition: TopicPartition;
  /** Whole v2 batches; changed in place (base offset, leader epoch, append time) and kept until written. */
  readonly records: Buffer;
}

export interface AppendResult {
  readonly topicPartition: TopicPartition;
  readonly errorCode: number;
  readonly errorMessage: string | null;
  /** -1 on an error. */
  readonly baseOffset: number;
  /** The append time where the topic says LogAppendTime, else -1. */
  readonly logAppendTimeMs: number;
  readonly logStartOffset: number;
  /** Batch-relative indexes of refused records. */
  readonly recordErrors: readonly { readonly batchIndex: number; readonly message: string | null }[];
}

export interface AppendOptions {
  readonly timeoutMs: number;
  readonly requiredAcks: number;
  readonly origin: 'client' | 'coordinator';
  readonly entries: readonly AppendEntry[];
  readonly respond: (results: readonly AppendResult[]) => void;
}

interface Pending {
  readonly key: string;
  readonly partition: Partition;
  result: AppendResult;
  requiredOffset: number;
  /** Of the partition when it was appended: it may be another one when all is written. */
  readonly leadership: number;
}

/** A batch that a worker has validated, and what came of it. */
type Prepared = readonly [AppendEntry, LeaderAppendOptions['validated']];
const NOTHING_PREPARED: ReadonlyMap<AppendEntry, LeaderAppendOptions['validated']> = new Map();

export class RecordAppender {
  readonly #replicaManager: ReplicaManager;
  readonly #logger: Logger;
  readonly #refused: RefusedSequences;
  readonly #runtime: { readonly clock: Clock; readonly offload: Offload };

  constructor(options: { replicaManager: ReplicaManager; logger: Logger; runtime: { readonly clock: Clock; readonly offload: Offload } }) {
    this.#replicaManager = options.replicaManager;
    this.#runtime = options.runtime;
    this.#refused = new RefusedSequences(options.runtime.clock);
    this.#logger = options.logger.child({ component: 'RecordAppender' });
  }

  /** Appends `entries`; `respond` is called once, with a result for each in their order. */
  append(options: AppendOptions): void {
    const work = options.origin === 'client' ? this.#workForWorkers(options.entries) : undefined;
    if (work === undefined) this.#append(options, NOTHING_PREPARED);
    else void Promise.all(work).then((prepared) => this.#append(options, new Map(prepared)));
  }

  /** A client's batch was refused with `errorCode` before it came here. */
  noteRefused({ topicPartition, records }: AppendEntry, errorCode: number): void {
    this.#refused.note(topicPartitionKey(topicPartition), records, errorCode);
  }

  /** The batches that workers validate first; undefined when there are none. */
  #workForWorkers(entries: readonly AppendEntry[]): Promise<Prepared>[] | undefined {
    let work: Promise<Prepared>[] | undefined;
    for (const entry of entries) {
      const log = this.#replicaManager.partition(entry.topicPartition)?.log;
      if (log === undefined || !isWorkForWorker(entry.records, log.appendConfig)) continue;
      work ??= [];
      work.push(this.#prepare(entry, log));
    }
    return work;
  }

  async #prepare(entry: AppendEntry, log: UnifiedLog): Promise<Prepared> {
    const { clock, offload } = this.#runtime;
    try {
      return [entry, await prepareInWorker(offload, entry.records, log.appendConfig, clock.wallMs())];
    } catch (error) {
      this.#logger.error(
        { err: error },
        `Opening a batch of ${entry.records.length} bytes for ${topicPartitionKey(entry.topicPartition)} failed`,
      );
      return [entry, appendError(ErrorCode.UNKNOWN_SERVER_ERROR, 'The batch could not be opened')];
    }
  }

  #append(options: AppendOptions, prepared: ReadonlyMap<AppendEntry, LeaderAppendOptions['validated']>): void {
    const { entries, requiredAcks } = options;
    const results: (AppendResult | Pending)[] = [];
    let unwritten = 1;
    const oneWritten = (): void => {
      if (--unwritten === 0) this.#afterWrite(options, results);
    };
    for (const entry of entries) {
      unwritten++;
      results.push(this.#appendOne(entry, prepared.get(entry), { requiredAcks, origin: options.origin, onDone: oneWritten }));
    }
    oneWritten();
  }

  #appendOne(
    entry: AppendEntry,
    validated: LeaderAppendOptions['validated'],
    options: Pick<AppendOptions, 'requiredAcks' | 'origin'> & { readonly onDone: () => void },
  ): AppendResult | Pending {
    const { topicPartition, records } = entry;
    const { requiredAcks, origin, onDone } = options;
    const partition = this.#replicaManager.partition(topicPartition);
    const key = topicPartitionKey(topicPartition);
    if (partition === undefined) {
      onDone();
      this.#refused.note(key, records, ErrorCode.NOT_LEADER_OR_FOLLOWER);
      return failed(topicPartition, ErrorCode.NOT_LEADER_OR_FOLLOWER);
    }
    const beforeFirst = this.#refusedBeforeFirst(partition, key, records);
    if (beforeFirst !== undefined) {
      onDone();
      return this.#refuseBehind(entry, key, beforeFirst);
    }
    let pending: Pending | undefined;
    try {
      const info = partition.appendRecordsToLeader(records, {
        origin,
        requiredAcks,
        validated,
        onWritten: (error) => {
          if (error !== undefined && pending !== undefined)
            pending.result = failed(topicPartition, ErrorCode.KAFKA_STORAGE_ERROR, error.message);
          this.#replicaManager.completeDelayed(key);
          onDone();
        },
      });
      if (!info.ok) {
        onDone();
        const before = info.errorCode === ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER ? this.#refused.refusedBefore(key, records) : undefined;
        if (before !== undefined) return this.#refuseBehind(entry, key, before);
        // Too much waits for the disk: not for what is in the batch.
        if (info.errorCode === ErrorCode.REQUEST_TIMED_OUT) this.#refused.note(key, records, info.errorCode);
        return {
          ...failed(topicPartition, info.errorCode, info.message),
          recordErrors: info.recordErrors,
          logStartOffset: partition.log?.logStartOffset ?? -1,
        };
      }
      this.#refused.noteAccepted(key, records);
      const result = {
        topicPartition,
        errorCode: ErrorCode.NONE,
        errorMessage: null,
        baseOffset: info.firstOffset,
        logAppendTimeMs: info.logAppendTimeMs,
        logStartOffset: partition.log?.logStartOffset ?? -1,
        recordErrors: [],
      };
      pending = { key, partition, result, requiredOffset: info.lastOffset + 1, leadership: partition.leadership };
      return pending;
    } catch (error) {
      onDone();
      if (error instanceof KafkaError) {
        this.#refused.note(key, records, error.code);
        return failed(topicPartition, error.code, error.message);
      }
      this.#logger.error({ err: error }, `Appending to ${key} failed`);
      return failed(topicPartition, ErrorCode.UNKNOWN_SERVER_ERROR);
    }
  }

  /**
   * With which error a batch in front of `records` was refused, where the log knows nothing of their producer: it takes any sequence for the first
   * one then, and all in front of it would be out of order for good.
   */
  #refusedBeforeFirst(partition: Partition, key: string, records: Buffer): number | undefined {
    const before = this.#refused.refusedBefore(key, records);
    if (before === undefined || !partition.isLeader) return undefined;
    return partition.log?.activeProducers.has(producerIdAt(records, 0)) === false ? before : undefined;
  }

  #refuseBehind({ topicPartition, records }: AppendEntry, key: string, errorCode: number): AppendResult {
    this.#refused.note(key, records, errorCode);
    return failed(topicPartition, errorCode, 'A batch of this producer in front of this one was refused');
  }

  #afterWrite(options: AppendOptions, results: readonly (AppendResult | Pending)[]): void {
    const answer = (): void => options.respond(results.map((entry) => ('result' in entry ? entry.result : entry)));
    const waiting =
      options.requiredAcks === -1
        ? results.filter((entry): entry is Pending => 'result' in entry && entry.result.errorCode === ErrorCode.NONE)
        : [];
    if (waiting.length === 0) {
      answer();
      return;
    }
    const statuses: ProducePartitionStatus[] = waiting.map(({ key, partition, requiredOffset, leadership }) => ({
      key,
      partition,
      requiredOffset,
      leadership,
      errorCode: undefined,
    }));
    const operation = new DelayedProduce(options.timeoutMs, statuses, () => {
      for (const [index, entry] of waiting.entries()) {
        const errorCode = statuses[index]?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR;
        if (errorCode !== ErrorCode.NONE) entry.result = failed(entry.result.topicPartition, errorCode);
      }
      answer();
    });
    this.#replicaManager.producePurgatory.tryCompleteElseWatch(
      operation,
      waiting.map((entry) => entry.key),
    );
  }
}

function failed(topicPartition: TopicPartition, errorCode: number, errorMessage: string | null = null): AppendResult {
  return { topicPartition, errorCode, errorMessage, baseOffset: -1, logAppendTimeMs: -1, logStartOffset: -1, recordErrors: [] };
}
