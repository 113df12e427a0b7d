/**
 * fsync of one log, off the event loop, one at a time: epochs and topic id first, then segments and indexes, then the folder's names.
 * The recovery point moves only after all of it, and not at all when the log was cut back meanwhile. Source: Kafka's UnifiedLog.flush.
 */
import { syncFile } from './background-file.ts';
import type { BackgroundFile } from './background-file.ts';
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

export class LogFlusher {
  readonly #options: FlusherOptions;
  #recoveryPoint: number;
  #wantedOffset = 0;
  #flushing: Promise<void> | undefined;
  /** Counts truncations: what was synced before one says nothing of the log after it. */
  #truncations = 0;
  #lastFlushMs: number;
  #snapshotsSyncedBelow: number;
  #parentSynced: boolean;
  #stopped = false;

  constructor(options: FlusherOptions) {
    this.#options = options;
    this.#recoveryPoint = options.recoveryPoint;
    this.#snapshotsSyncedBelow = options.recoveryPoint;
    this.#parentSynced = options.recoveryPoint > 0;
    this.#lastFlushMs = options.context.clock.wallMs();
  }

  get recoveryPoint(): number {
    return this.#recoveryPoint;
  }

  /** Wall-clock time of the last flush; of the log's opening before the first. */
  get lastFlushMs(): number {
    return this.#lastFlushMs;
  }

  /** Resolves when all below `offset` is on the device, or the log has failed. */
  async flush(offset: number): Promise<void> {
    this.#wantedOffset = Math.max(this.#wantedOffset, offset);
    while (this.#recoveryPoint < offset && !this.#stopped) {
      const before = this.#recoveryPoint;
      const truncations = this.#truncations;
      this.#flushing ??= this.#flushOnce().finally(() => {
        this.#flushing = undefined;
      });
      await this.#flushing;
      // Nothing gained: the log was cut back below the offset, or it has failed.
      if (this.#recoveryPoint <= before && (truncations !== this.#truncations || this.#stopped || offset > this.#options.log.logEndOffset))
        return;
    }
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

  /** No more flushes; a waiting one ends. */
  stop(): void {
    this.#stopped = true;
  }

  async #flushOnce(): Promise<void> {
    const { context, log, files, onError } = this.#options;
    const target = Math.min(this.#wantedOffset, log.logEndOffset);
    const truncations = this.#truncations;
    const startMs = context.clock.monotonicMs();
    try {
      for (const file of files) await file.settled();
      await this.#syncSnapshots(target);
      await log.flush(this.#recoveryPoint, target);
      await this.#syncParent();
    } catch (error) {
      context.stats.flushErrors.add();
      this.#stopped = true;
      onError(error);
      return;
    }
    if (this.#stopped || truncations !== this.#truncations) return;
    context.stats.flushTimeMs.record(context.clock.monotonicMs() - startMs);
    this.#recoveryPoint = Math.max(this.#recoveryPoint, target);
    this.#snapshotsSyncedBelow = Math.max(this.#snapshotsSyncedBelow, target);
    this.#lastFlushMs = context.clock.wallMs();
  }

  /** Producer snapshots made by rolls since the last flush. */
  async #syncSnapshots(target: number): Promise<void> {
    const { disk } = this.#options.context;
    for (const offset of this.#options.snapshots.offsets) {
      if (offset < this.#snapshotsSyncedBelow || offset > target) continue;
      await syncFile(disk, this.#options.snapshots.pathOf(offset));
    }
  }

  /** The log's own folder must be found after a crash. */
  async #syncParent(): Promise<void> {
    if (this.#parentSynced) return;
    const { directory } = this.#options.log;
    await this.#options.context.disk.syncDirectoryAsync(directory.slice(0, directory.lastIndexOf('/')));
    this.#parentSynced = true;
  }
}
