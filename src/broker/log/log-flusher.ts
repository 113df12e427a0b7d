/**
 * fsync of one log, off the event loop, one at a time: epochs and topic id first, then segments and indexes, then the folder's names.
 * The recovery point moves only after all of it, and not at all when the log was cut back meanwhile. Source: Kafka's UnifiedLog.flush.
 */
import type { FlushReason, FlushSummary } from '../../introspection/answers/log-flush.ts';
import { syncFile } from './background-file.ts';
import type { BackgroundFile } from './background-file.ts';
import { FlushStats } from './flush-stats.ts';
import type { LocalLog } from './local-log.ts';
import type { LogContext } from './log-context.ts';
import type { ProducerSnapshots } from './producer-snapshots.ts';

export interface FlusherOptions {
  readonly context: LogContext;
  readonly log: LocalLog;
  readonly snapshots: ProducerSnapshots;
  readonly files: readonly BackgroundFile[];
  readonly recoveryPoint: number;
  /** A sync failed: the folder goes offline. */
  readonly onError: (error: unknown) => void;
}

const KEPT_TIMES = 256;

export class LogFlusher {
  readonly #options: FlusherOptions;
  #recoveryPoint: number;
  #wantedOffset = 0;
  #flushing: Promise<void> | undefined;
  /** Counts truncations: what was synced before one says nothing of the log after it. */
  #truncations = 0;
  /** Of cuts that are about to be made: the recovery point, and with it the checkpoint, stays at or below each. */
  readonly #caps = new Set<{ readonly offset: number }>();
  #lastFlushMs: number;
  #snapshotsSyncedBelow: number;
  #parentSynced: boolean;
  #stopped = false;
  /** Made at the first flush. */
  #stats: FlushStats | undefined;

  constructor(options: FlusherOptions) {
    this.#options = options;
    this.#recoveryPoint = options.recoveryPoint;
    this.#snapshotsSyncedBelow = options.recoveryPoint;
    this.#parentSynced = options.recoveryPoint > 0;
    this.#lastFlushMs = options.context.clock.wallMs();
  }

  /** All below it is on the device. */
  get recoveryPoint(): number {
    return this.#recoveryPoint;
  }

  /** Whether the log's folder is found after a crash. */
  get hasSyncedFolder(): boolean {
    return this.#parentSynced;
  }

  /** Wall-clock time of the last flush; of the log's opening before the first. */
  get lastFlushMs(): number {
    return this.#lastFlushMs;
  }

  /** What the flushes of this log have cost. */
  summary(nowMs: number): FlushSummary {
    return (this.#stats ?? new FlushStats(0)).summary(nowMs);
  }

  /** Resolves when all below `offset` is on the device, or the log has failed. `reason` is for the statistics. */
  async flush(offset: number, reason: FlushReason): Promise<void> {
    this.#wantedOffset = Math.max(this.#wantedOffset, offset);
    while (this.#recoveryPoint < offset && !this.#stopped) {
      const before = this.#recoveryPoint;
      const truncations = this.#truncations;
      this.#flushing ??= this.#flushOnce(reason).finally(() => {
        this.#flushing = undefined;
      });
      await this.#flushing;
      // Nothing gained: the log was cut back below the offset, or it has failed.
      const cannotRise =
        truncations !== this.#truncations || this.#stopped || offset > Math.min(this.#options.log.logEndOffset, this.heldAt);
      if (this.#recoveryPoint <= before && cannotRise) return;
    }
  }

  get isFlushing(): boolean {
    return this.#flushing !== undefined;
  }

  async settled(): Promise<void> {
    while (this.#flushing !== undefined) await this.#flushing;
  }

  truncatedTo(offset: number): void {
    this.#truncations++;
    this.#wantedOffset = Math.min(this.#wantedOffset, offset);
    this.#recoveryPoint = Math.min(this.#recoveryPoint, offset);
    this.#snapshotsSyncedBelow = Math.min(this.#snapshotsSyncedBelow, offset);
  }

  /** The log will be cut at `offset`: until the function returned is called the recovery point goes no further, whatever is flushed. */
  holdAt(offset: number): () => void {
    this.truncatedTo(offset);
    const cap = { offset };
    this.#caps.add(cap);
    return () => void this.#caps.delete(cap);
  }

  /** The lowest offset that the log is held at; Infinity when it isn't. */
  get heldAt(): number {
    let lowest = Infinity;
    for (const { offset } of this.#caps) lowest = Math.min(lowest, offset);
    return lowest;
  }

  /** No more flushes; a waiting one ends. */
  stop(): void {
    this.#stopped = true;
  }

  async #flushOnce(reason: FlushReason): Promise<void> {
    const { context, log, files, onError } = this.#options;
    const target = Math.min(this.#wantedOffset, log.logEndOffset);
    const truncations = this.#truncations;
    const startMs = context.clock.monotonicMs();
    let fsyncs = 0;
    let bytes = 0;
    try {
      bytes = log.unsyncedBytes(this.#recoveryPoint, target);
      for (const file of files) await file.settled();
      fsyncs += await this.#syncSnapshots(target);
      fsyncs += await log.flush(this.#recoveryPoint, target);
      fsyncs += await this.#syncParent();
    } catch (error) {
      context.stats.flushErrors.add();
      this.#stopped = true;
      onError(error);
      return;
    }
    if (this.#stopped || truncations !== this.#truncations) return;
    const tookMs = context.clock.monotonicMs() - startMs;
    const messages = Math.max(0, target - this.#recoveryPoint);
    this.#recoveryPoint = Math.max(this.#recoveryPoint, Math.min(target, this.heldAt));
    this.#snapshotsSyncedBelow = Math.max(this.#snapshotsSyncedBelow, target);
    this.#lastFlushMs = context.clock.wallMs();
    this.#stats ??= new FlushStats(KEPT_TIMES);
    const flush = { reason, atMs: this.#lastFlushMs, tookMs, fsyncs, messages, bytes };
    this.#stats.record(flush);
    context.stats.flushed(flush);
  }

  /** Producer snapshots made by rolls since the last flush; how many there were. */
  async #syncSnapshots(target: number): Promise<number> {
    let synced = 0;
    const { disk } = this.#options.context;
    for (const offset of this.#options.snapshots.offsets) {
      if (offset < this.#snapshotsSyncedBelow || offset > target) continue;
      await syncFile(disk, this.#options.snapshots.pathOf(offset));
      synced++;
    }
    return synced;
  }

  /** The log's own folder must be found after a crash. */
  async #syncParent(): Promise<number> {
    if (this.#parentSynced) return 0;
    const { directory } = this.#options.log;
    await this.#options.context.disk.syncDirectoryAsync(directory.slice(0, directory.lastIndexOf('/')));
    this.#parentSynced = true;
    return 1;
  }
}
