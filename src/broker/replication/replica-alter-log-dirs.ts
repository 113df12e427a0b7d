/**
 * Moves replicas between the log dirs of this broker (AlterReplicaLogDirs): a future log is filled from the partition's own log, and takes
 * its place when it holds everything. A move goes on after a restart, when LeaderAndIsr names the partition.
 *
 * Invariants: the future log is a prefix of the present one, epochs included; where the present one was cut, it is cut first. The cleaner
 * leaves the partition alone from the beginning of a move to its end. `num.replica.alter.log.dirs.threads` moves run beside each other, the
 * rest wait, under one throttle (`replica.alter.log.dirs.io.max.bytes.per.second`). Differs from Kafka: records are read from the log
 * itself, not by a fetch, and in pieces of at most 1 MiB, so that the partition's clients aren't held up.
 * Source: Kafka's ReplicaManager.alterReplicaLogDirs, ReplicaAlterLogDirsThread, KIP-113.
 */
import { ErrorCode } from '../../protocol/errors.ts';
import { topicPartitionKey } from '../../protocol/topic-partition.ts';
import type { TopicPartition } from '../../protocol/topic-partition.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { sleep } from '../../runtime/scheduler.ts';
import { canHaveFutureLog } from '../log/future-logs.ts';
import type { CleaningPause } from '../log/log-context.ts';
import { LogStorageError } from '../log/log-errors.ts';
import type { LogManager } from '../log/log-manager.ts';
import type { UnifiedLog } from '../log/unified-log.ts';
import { copyNext } from './copy-log.ts';
import type { Partition } from './partition.ts';
import type { ReplicationQuotaManager } from './replication-quota-manager.ts';

export interface ReplicaAlterLogDirsOptions {
  readonly runtime: Pick<Runtime, 'scheduler' | 'logger'>;
  readonly logManager: Pick<
    LogManager,
    | 'logDirState'
    | 'preferLogDir'
    | 'getLog'
    | 'futureLog'
    | 'createFutureLog'
    | 'deleteFutureLog'
    | 'replaceCurrentWithFuture'
    | 'pauseCleaningForMove'
    | 'releaseRecords'
  >;
  readonly quota: Pick<ReplicationQuotaManager, 'isQuotaExceeded' | 'record'>;
  readonly maxConcurrentMoves: number;
  readonly partitionOf: (topicPartition: TopicPartition) => Partition | undefined;
  /** The partition has another log: what waits for it looks again. */
  readonly onReplaced: (key: string) => void;
}

interface Move {
  readonly partition: Partition;
  readonly current: UnifiedLog;
  readonly future: UnifiedLog;
  readonly pause: CleaningPause | undefined;
  isCancelled: boolean;
}

/** While the throttle is exceeded, and while something is under way in a log that is about to be replaced. */
const LOOK_AGAIN_MS = 20;
const LARGE_PIECE_BYTES = 256 * 1024;

export class ReplicaAlterLogDirs {
  readonly #options: ReplicaAlterLogDirsOptions;
  readonly #logger: Logger;
  readonly #moves = new Map<string, Move>();
  readonly #waiting: Move[] = [];
  #running = 0;
  #closed = false;

  constructor(options: ReplicaAlterLogDirsOptions) {
    this.#options = options;
    this.#logger = options.runtime.logger.child({ component: 'ReplicaAlterLogDirs' });
  }

  get movingCount(): number {
    return this.#moves.size;
  }

  /**
   * Begins to move the partition's log to `path`, another of this broker's log dirs; where it lies already, a move elsewhere is given up.
   * Codes: NONE; LOG_DIR_NOT_FOUND, not one of log.dirs; KAFKA_STORAGE_ERROR, it or the present log's is offline; INVALID_TOPIC_EXCEPTION,
   * the name is too long for the future folder; REPLICA_NOT_AVAILABLE, no replica here yet: its log will be made in `path`.
   */
  alter(topicPartition: TopicPartition, path: string): number {
    if (!canHaveFutureLog(topicPartition)) return ErrorCode.INVALID_TOPIC_EXCEPTION;
    const { logManager, partitionOf } = this.#options;
    const { path: directory, state } = logManager.logDirState(path);
    if (state === 'unknown') return ErrorCode.LOG_DIR_NOT_FOUND;
    const partition = partitionOf(topicPartition);
    if (state === 'offline' || partition?.isOffline === true) return ErrorCode.KAFKA_STORAGE_ERROR;
    if (partition?.log === undefined) {
      if (logManager.getLog(topicPartition)?.logDir !== directory) logManager.preferLogDir(topicPartition, directory);
      return ErrorCode.REPLICA_NOT_AVAILABLE;
    }
    const future = logManager.futureLog(topicPartition);
    if (future?.logDir === directory) return ErrorCode.NONE;
    if (future !== undefined) this.cancel(topicPartition);
    if (partition.log.logDir === directory) return ErrorCode.NONE;
    try {
      this.#begin(partition, partition.log, logManager.createFutureLog(topicPartition, directory));
      return ErrorCode.NONE;
    } catch (error) {
      if (error instanceof LogStorageError) return ErrorCode.KAFKA_STORAGE_ERROR;
      throw error;
    }
  }

  /** The partition leads or follows: a move that the broker's end cut short goes on. */
  resume(partition: Partition): void {
    const { logManager } = this.#options;
    const { topicPartition, log } = partition;
    const future = logManager.futureLog(topicPartition);
    if (future === undefined || log === undefined || this.#moves.has(topicPartitionKey(topicPartition))) return;
    if (future.topicId === log.topicId && future.logDir !== log.logDir) this.#begin(partition, log, future);
    else void logManager.deleteFutureLog(topicPartition);
  }

  /** The partition is deleted, or is to move elsewhere. */
  cancel(topicPartition: TopicPartition): void {
    const key = topicPartitionKey(topicPartition);
    const move = this.#moves.get(key);
    if (move !== undefined) this.#end(key, move);
    void this.#options.logManager.deleteFutureLog(topicPartition);
  }

  close(): void {
    this.#closed = true;
    for (const [key, move] of this.#moves) this.#end(key, move);
  }

  #begin(partition: Partition, current: UnifiedLog, future: UnifiedLog): void {
    if (this.#closed) return;
    const key = topicPartitionKey(partition.topicPartition);
    // One whose folder has failed, and that has not come to see it.
    const before = this.#moves.get(key);
    if (before !== undefined) this.#end(key, before);
    const pause = this.#options.logManager.pauseCleaningForMove(current);
    const move: Move = { partition, current, future, pause, isCancelled: false };
    this.#moves.set(key, move);
    this.#logger.info(`Moving ${key} from ${current.logDir} to ${future.logDir}`);
    this.#waiting.push(move);
    this.#startNext();
  }

  #end(key: string, move: Move): void {
    if (this.#moves.get(key) !== move) return;
    this.#moves.delete(key);
    move.isCancelled = true;
    // Once what the pause aborted has ended: it can't be resumed before.
    if (move.pause?.settled === undefined) move.pause?.resume();
    else void move.pause.settled.then(() => move.pause?.resume());
  }

  #startNext(): void {
    while (this.#running < this.#options.maxConcurrentMoves) {
      const move = this.#waiting.shift();
      if (move === undefined) return;
      if (move.isCancelled) continue;
      this.#running++;
      void this.#run(move).finally(() => {
        this.#running--;
        this.#startNext();
      });
    }
  }

  async #run(move: Move): Promise<void> {
    const { topicPartition } = move.partition;
    const key = topicPartitionKey(topicPartition);
    try {
      await move.pause?.settled;
      // After a recovery the first write waits for indexes to be synced, and nobody may write. The present log's is only asked for: one whose disk
      // can't keep up may not be settled for as long as there is load.
      void move.current.settled();
      await move.future.settled();
      while (this.#isWanted(move)) await this.#step(move, key);
    } catch (error) {
      // Of a log that is deleted or whose disk failed nothing else is expected; the folder's failure has been told.
      if (this.#isWanted(move)) {
        this.#logger.error({ err: error }, `Moving ${key} to ${move.future.logDir} failed and is given up: ${String(error)}`);
        this.cancel(topicPartition);
      }
    } finally {
      this.#end(key, move);
    }
  }

  /** Neither deleted, nor failed, nor cancelled. */
  #isWanted({ isCancelled, partition, current, future }: Move): boolean {
    const { logManager } = this.#options;
    return (
      !isCancelled &&
      !this.#closed &&
      partition.log === current &&
      logManager.getLog(partition.topicPartition) === current &&
      logManager.futureLog(partition.topicPartition) === future
    );
  }

  async #step(move: Move, key: string): Promise<void> {
    const { quota, runtime, logManager } = this.#options;
    const { current, future, partition } = move;
    if (quota.isQuotaExceeded) {
      await sleep(runtime.scheduler, LOOK_AGAIN_MS);
      return;
    }
    const copied = await copyNext(current, future, {
      isWanted: () => this.#isWanted(move),
      releaseRecords: (records) => logManager.releaseRecords(records),
    });
    if (copied !== 'caught-up') {
      quota.record(copied);
      // The last, small pieces follow each other within a turn, or a busy partition would never be caught up with.
      if (copied >= LARGE_PIECE_BYTES) await sleep(runtime.scheduler, 0);
      return;
    }
    if (future.recoveryPoint < current.recoveryPoint) {
      await future.flush();
      return;
    }
    if (!this.#isWanted(move)) return;
    const log = logManager.replaceCurrentWithFuture(partition.topicPartition);
    if (log === undefined) {
      await sleep(runtime.scheduler, LOOK_AGAIN_MS);
      return;
    }
    partition.replaceLog(log);
    this.#options.onReplaced(key);
  }
}
